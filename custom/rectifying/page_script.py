"""What runs in the page of corners: dragging, moving by keys, saving the record. Plain JavaScript, no library, no network."""

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 1rem; }
h1 { font-size: 1.35rem; margin: 0 0 .3rem; } p { max-width: 62rem; margin: .3rem 0; }
#panels { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
section { border: 1px solid #ccc; border-radius: 6px; padding: .6rem; flex: 1 1 26rem; max-width: 46rem; }
h2 { font-size: 1rem; margin: 0 0 .4rem; } svg { width: 100%; max-height: 70vh; background: #181818; touch-action: none; }
circle { cursor: grab; } circle:focus { outline: none; stroke: #fff; }
.off polygon, .off circle, .off text { display: none; } .off table { display: none; }
table { border-collapse: collapse; margin-top: .4rem; font-variant-numeric: tabular-nums; }
td, th { padding: .1rem .4rem; text-align: right; font-weight: normal; } input[type=number] { width: 6.5rem; font: inherit; }
button { font: inherit; padding: .35rem .9rem; } .bad { color: #b00020; } code { background: #f2f2f2; padding: 0 .2rem; }
"""

SCRIPT = r"""
const data = JSON.parse(document.getElementById("data").textContent);
const svgName = "http://www.w3.org/2000/svg";
const made = (name, attributes = {}) => {
  const node = document.createElementNS(svgName, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};
const rounded = (value) => Math.round(value * 100) / 100;
const panels = {};
let changed = false;

// (first, second) of a corner are its two axes; on the screen the first goes down and the second to the right
class Panel {
  constructor(name, seen) {
    this.name = name;
    this.sides = seen.sides;
    this.quad = seen.corners.map((point) => point.slice());
    this.box = document.getElementById(name);
    this.svg = this.box.querySelector("svg");
    this.view = [0, 0, this.sides[1], this.sides[0]];
    this.image = made("image", { width: this.sides[1], height: this.sides[0], preserveAspectRatio: "none" });
    this.outline = made("polygon", { fill: "none", stroke: data.colour, "stroke-width": 2, "vector-effect": "non-scaling-stroke" });
    this.svg.append(this.image, this.outline);
    this.handles = this.quad.map((_, number) => this.handle(number));
    this.texts = this.quad.map((_, number) => {
      const text = made("text", { fill: data.colour, stroke: "#000", "paint-order": "stroke", "text-anchor": "middle" });
      text.textContent = number + 1;
      this.svg.append(text);
      return text;
    });
    this.inputs = [...this.box.querySelectorAll("input[type=number]")];
    this.inputs.forEach((input, place) =>
      input.addEventListener("change", () => this.move(place >> 1, { [place & 1]: Number(input.value) })));
    this.used = this.box.querySelector("input[type=checkbox]");
    if (this.used) this.used.addEventListener("change", () => { changed = true; this.show(); });
    this.svg.addEventListener("wheel", (event) => this.zoom(event), { passive: false });
    this.svg.addEventListener("pointerdown", (event) => this.pan(event));
    this.svg.addEventListener("dblclick", () => { this.view = [0, 0, this.sides[1], this.sides[0]]; this.show(); });
    new ResizeObserver(() => this.show()).observe(this.svg);
  }

  handle(number) {
    const circle = made("circle", { fill: data.colour, "fill-opacity": 0.55, stroke: "#000", tabindex: 0,
      "vector-effect": "non-scaling-stroke", "aria-label": `corner ${number + 1} of ${this.name}` });
    circle.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      circle.setPointerCapture(event.pointerId);
      circle.onpointermove = (moved) => {
        const [x, y] = this.place(moved);
        this.move(number, [y - 0.5, x - 0.5]);
      };
    });
    circle.addEventListener("pointerup", () => { circle.onpointermove = null; });
    circle.addEventListener("keydown", (event) => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      const size = event.shiftKey ? 10 : 1;
      this.move(number, this.quad[number].map((value, axis) => value + size * step[axis]));
    });
    this.svg.append(circle);
    return circle;
  }

  // of a pointer, in voxels from the image's upper left
  place(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    return [point.x, point.y];
  }

  move(number, values) {
    for (const axis of [0, 1])
      if (Number.isFinite(values[axis]))
        this.quad[number][axis] = rounded(Math.min(Math.max(values[axis], 0), this.sides[axis] - 1));
    changed = true;
    if (this.used) this.used.checked = true;
    this.show();
  }

  zoom(event) {
    event.preventDefault();
    const [x, y] = this.place(event), factor = event.deltaY > 0 ? 1.25 : 0.8;
    if (this.view[2] * factor < 16 || this.view[2] * factor > 4 * this.sides[1]) return;
    this.view = [x + (this.view[0] - x) * factor, y + (this.view[1] - y) * factor, this.view[2] * factor, this.view[3] * factor];
    this.show();
  }

  pan(event) {
    const from = this.place(event);
    this.svg.setPointerCapture(event.pointerId);
    this.svg.onpointermove = (moved) => {
      const to = this.place(moved);
      this.view[0] += from[0] - to[0];
      this.view[1] += from[1] - to[1];
      this.show();
    };
    this.svg.onpointerup = () => { this.svg.onpointermove = null; };
  }

  sound() {
    return this.quad.every((point, k) => {
      const next = this.quad[(k + 1) % 4], after = this.quad[(k + 2) % 4];
      return (after[0] - next[0]) * (next[1] - point[1]) - (next[0] - point[0]) * (after[1] - next[1]) > 0;
    });
  }

  show() {
    this.image.setAttribute("href", data.planes[this.name][document.getElementById("kind").value]);
    this.svg.setAttribute("viewBox", this.view.join(" "));
    const scale = this.svg.getScreenCTM();
    const voxel = scale && scale.a ? 1 / scale.a : 1;
    const [middleY, middleX] = [0, 1].map((axis) => this.quad.reduce((sum, point) => sum + point[axis] / 4, 0));
    this.outline.setAttribute("points", this.quad.map(([first, second]) => `${second + 0.5},${first + 0.5}`).join(" "));
    this.quad.forEach(([first, second], number) => {
      this.handles[number].setAttribute("cx", second + 0.5);
      this.handles[number].setAttribute("cy", first + 0.5);
      this.handles[number].setAttribute("r", 7 * voxel);
      this.texts[number].setAttribute("x", second + 0.5 + Math.sign(middleX - second) * 18 * voxel);
      this.texts[number].setAttribute("y", first + 0.5 + Math.sign(middleY - first) * 18 * voxel + 5 * voxel);
      this.texts[number].setAttribute("font-size", 15 * voxel);
      this.texts[number].setAttribute("stroke-width", 3 * voxel);
      [0, 1].forEach((axis) => { this.inputs[2 * number + axis].value = rounded(this.quad[number][axis]); });
    });
    this.box.classList.toggle("off", Boolean(this.used) && !this.used.checked);
    told();
  }
}

function record() {
  const found = { ...data.record, corners: {} };
  for (const panel of Object.values(panels))
    if (!panel.used || panel.used.checked) found.corners[panel.name] = panel.quad;
  if (changed) delete found.shape;  // as many voxels as fit between the corners, each as large as a raw one
  return JSON.stringify(found, null, 1);
}

function told() {
  const crossed = Object.values(panels).filter((panel) => (!panel.used || panel.used.checked) && !panel.sound());
  const words = document.getElementById("told");
  words.className = crossed.length ? "bad" : "";
  words.textContent = crossed.length
    ? `The corners of ${crossed.map((panel) => panel.name).join(" and ")} cross: bring them into the order 1, 2, 3, 4 around the region.`
    : changed ? "Corners were moved: save the record and give it with --region." : "";
}

for (const [name, seen] of Object.entries(data.planes)) panels[name] = new Panel(name, seen);
document.getElementById("kind").addEventListener("change", () => Object.values(panels).forEach((panel) => panel.show()));
document.getElementById("save").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([record() + "\n"], { type: "application/json" }));
  link.download = "region.json";
  link.click();
  URL.revokeObjectURL(link.href);
});
Object.values(panels).forEach((panel) => panel.show());
"""
