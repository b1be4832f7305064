// SPDX-License-Identifier: BSD-2-Clause
// A Rust program whose global allocator is liballoc through jemalloc's C
// interface, as jemallocator declares it: collections on several threads, and
// the statistics that jemalloc-ctl reads. Prints what rust.sh looks for.
use std::alloc::{GlobalAlloc, Layout};
use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_void};

extern "C" {
    fn mallocx(size: usize, flags: c_int) -> *mut c_void;
    fn rallocx(ptr: *mut c_void, size: usize, flags: c_int) -> *mut c_void;
    fn xallocx(ptr: *mut c_void, size: usize, extra: usize, flags: c_int) -> usize;
    fn sallocx(ptr: *const c_void, flags: c_int) -> usize;
    fn sdallocx(ptr: *mut c_void, size: usize, flags: c_int);
    fn mallctl(
        name: *const c_char,
        oldp: *mut c_void,
        oldlenp: *mut usize,
        newp: *mut c_void,
        newlen: usize,
    ) -> c_int;
}

struct Liballoc;

fn flags(layout: &Layout) -> c_int {
    if layout.align() <= 16 && layout.align() <= layout.size() {
        0
    } else {
        layout.align().trailing_zeros() as c_int
    }
}

unsafe impl GlobalAlloc for Liballoc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { mallocx(layout.size(), flags(&layout)) as *mut u8 }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { mallocx(layout.size(), flags(&layout) | 0x40) as *mut u8 }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        unsafe { sdallocx(ptr as *mut c_void, layout.size(), flags(&layout)) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe { rallocx(ptr as *mut c_void, size, flags(&layout)) as *mut u8 }
    }
}

#[global_allocator]
static GLOBAL: Liballoc = Liballoc;

fn read(name: &[u8]) -> usize {
    let (mut value, mut length, mut epoch) = (0usize, 8usize, 1u64);
    unsafe {
        let e = &mut epoch as *mut u64 as *mut c_void;
        mallctl(c"epoch".as_ptr(), std::ptr::null_mut(), std::ptr::null_mut(), e, 8);
        let v = &mut value as *mut usize as *mut c_void;
        let error = mallctl(name.as_ptr() as *const c_char, v, &mut length, std::ptr::null_mut(), 0);
        assert_eq!((error, length), (0, 8));
    }
    value
}

#[repr(align(4096))]
struct Aligned([u8; 5000]);

fn work(seed: u64) -> usize {
    let mut map: HashMap<u64, String> = HashMap::new();
    for i in 0..20000u64 {
        let key = (i * 2654435761 + seed) % 5000;
        map.entry(key).or_default().push_str("a string that grows and grows");
        if i % 3 == 0 {
            map.remove(&((key * 7) % 5000));
        }
    }
    let aligned = Box::new(Aligned([seed as u8; 5000]));
    assert_eq!(&*aligned as *const Aligned as usize % 4096, 0);
    assert!(aligned.0.iter().all(|b| *b == seed as u8));
    map.values().map(|s| s.len()).sum::<usize>() / 29
}

fn main() {
    let threads: Vec<_> = (0..4).map(|i| std::thread::spawn(move || work(i))).collect();
    let sum: usize = threads.into_iter().map(|t| t.join().unwrap()).sum();
    println!("strings {}", sum > 0);
    let before = read(b"stats.allocated\0");
    let zeroed = vec![0u8; 32 << 20];
    assert!(zeroed.iter().all(|b| *b == 0));
    println!("grew by {} MiB", (read(b"stats.allocated\0") - before + (1 << 19)) >> 20);
    println!("usable {}", unsafe { sallocx(zeroed.as_ptr() as *const c_void, 0) });
    let shrunk = unsafe { xallocx(zeroed.as_ptr() as *mut c_void, 32 << 20, 0, 0) };
    println!("in place {}", shrunk);
    drop(zeroed);
    println!("resident {}", read(b"stats.resident\0") >= read(b"stats.active\0"));
}
