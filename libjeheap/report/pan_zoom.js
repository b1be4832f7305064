(function () {
	"use strict";
	var svg = document.documentElement;
	if (svg.nodeName !== "svg" || !svg.viewBox || window.parent !== window)
		return;
	var base = svg.viewBox.baseVal;
	var home = [base.x, base.y, base.width, base.height];
	var view = home.slice();
	var drag = null;
	svg.setAttribute("width", "100%");
	svg.setAttribute("height", "100%");
	svg.style.cursor = "grab";
	function show() {
		svg.setAttribute("viewBox", view.join(" "));
	}
	function unit() {
		var box = svg.getBoundingClientRect();
		return 1 / Math.min(box.width / view[2], box.height / view[3]);
	}
	function zoom(factor, x, y) {
		var box = svg.getBoundingClientRect();
		var u = unit();
		var cx = view[0] + view[2] / 2 + (x - box.left - box.width / 2) * u;
		var cy = view[1] + view[3] / 2 + (y - box.top - box.height / 2) * u;
		var w = view[2] * factor;
		if (w > home[2] * 20 || w < home[2] / 400)
			return;
		view = [cx - (cx - view[0]) * factor, cy - (cy - view[1]) * factor,
			w, view[3] * factor];
		show();
	}
	window.addEventListener("wheel", function (e) {
		e.preventDefault();
		zoom(Math.pow(1.0015, e.deltaY), e.clientX, e.clientY);
	}, {passive: false});
	window.addEventListener("mousedown", function (e) {
		if (e.button === 0)
			drag = [e.clientX, e.clientY, view[0], view[1], unit()];
	});
	window.addEventListener("mousemove", function (e) {
		if (!drag)
			return;
		view[0] = drag[2] - (e.clientX - drag[0]) * drag[4];
		view[1] = drag[3] - (e.clientY - drag[1]) * drag[4];
		show();
	});
	window.addEventListener("mouseup", function () {
		drag = null;
	});
	window.addEventListener("dblclick", function () {
		view = home.slice();
		show();
	});
	window.addEventListener("keydown", function (e) {
		var w = window.innerWidth / 2, h = window.innerHeight / 2;
		if (e.key === "+" || e.key === "=")
			zoom(0.8, w, h);
		else if (e.key === "-")
			zoom(1.25, w, h);
		else if (e.key === "0" || e.key === "Escape") {
			view = home.slice();
			show();
		}
	});
})();
