"""What runs in the page of a cell: the lithium in 3-D, its colours and thresholds, the table that flies to a piece."""

SLICES = r"""
const slice = document.getElementById("slice");
slice?.addEventListener("input", () => document.querySelectorAll("figure[data-slice]").forEach((one) => {
  one.hidden = one.dataset.slice !== slice.value;
}));
"""

SCRIPT = r"""
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (name) => document.getElementById(name);
const flat = (why) => { document.body.classList.add("flat"); byId("why").textContent = why; };

async function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed.data), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new globalThis[packed.type](await new Response(stream).arrayBuffer());
}

// a colour of its own for each piece, told apart by hue and lightness
const ofPiece = (piece) => {
  if (piece < 0) return new THREE.Color("#9aa3b2");
  return new THREE.Color().setHSL((piece * 0.61803) % 1, 0.62, 0.45 + 0.2 * ((piece * 0.37) % 1));
};
const scale = data.scale.map((colour) => new THREE.Color(colour));
const ofShare = (share) => {
  const at = Math.min(Math.max(share, 0), 1) * (scale.length - 1), low = Math.min(Math.floor(at), scale.length - 2);
  return scale[low].clone().lerp(scale[low + 1], at - low);
};

class Cell {
  constructor(stage) {
    this.stage = stage;
    this.renderer = new THREE.WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    stage.prepend(this.renderer.domElement);
    const canvas = this.renderer.domElement;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "Lithium in 3-D; drag to turn, wheel to zoom, arrow keys to move");
    this.scene = new THREE.Scene();
    this.scene.add(new THREE.HemisphereLight(0xffffff, 0x445066, 2.2));
    this.lamp = new THREE.DirectionalLight(0xffffff, 1.6);
    this.size = new THREE.Vector3(...data.size);  // x, y, z
    this.radius = this.size.length() / 2;
    this.middle = this.size.clone().multiplyScalar(0.5);
    this.camera = new THREE.PerspectiveCamera(35, 1, this.radius / 500, this.radius * 40);
    this.camera.add(this.lamp);
    this.scene.add(this.camera);
    this.controls = new THREE.OrbitControls(this.camera, canvas);
    this.controls.listenToKeyEvents(canvas);
    this.controls.addEventListener("change", () => this.draw());
    this.frame();
    this.electrodes = this.surfaces();
    this.meshes = [];
    this.colour = "piece";
    this.chosen = null;
    new ResizeObserver(() => this.resize()).observe(stage);
    this.resize();
    this.look("corner");
  }

  // the box that the stack fills, with its lengths
  frame() {
    const [x, y, z] = this.size.toArray();
    const ends = [[0, 0, 0], [x, 0, 0], [x, y, 0], [0, y, 0], [0, 0, z], [x, 0, z], [x, y, z], [0, y, z]];
    const edges = [0, 1, 1, 2, 2, 3, 3, 0, 4, 5, 5, 6, 6, 7, 7, 4, 0, 4, 1, 5, 2, 6, 3, 7];
    const box = new THREE.BufferGeometry();
    box.setAttribute("position", new THREE.Float32BufferAttribute(edges.flatMap((n) => ends[n]), 3));
    this.scene.add(new THREE.LineSegments(box, new THREE.LineBasicMaterial({ color: 0x59627a })));
    this.marks = [["x", [x / 2, y, 0], x], ["y", [0, y / 2, 0], y], ["z", [0, y, z / 2], z]].map(([name, place, length]) => {
      const mark = document.createElement("span");
      mark.className = "mark";
      mark.textContent = `${name} ${Number(length.toPrecision(3))} ${data.unit}`;
      this.stage.append(mark);
      return [mark, new THREE.Vector3(...place)];
    });
  }

  surfaces() {
    return data.electrodes.map((grid) => {
      const rows = grid.rows, columns = grid.points.length / 3 / rows, faces = [];
      for (let r = 0; r + 1 < rows; r++) for (let c = 0; c + 1 < columns; c++) {
        const at = r * columns + c;
        faces.push(at, at + 1, at + columns, at + 1, at + columns + 1, at + columns);
      }
      const plane = new THREE.BufferGeometry();
      plane.setAttribute("position", new THREE.Float32BufferAttribute(grid.points, 3));
      plane.setIndex(faces);
      plane.computeVertexNormals();
      const mesh = new THREE.Mesh(plane, new THREE.MeshLambertMaterial(
        { color: 0x8fb4d9, transparent: true, opacity: 0.3, side: THREE.DoubleSide, depthWrite: false }));
      this.scene.add(mesh);
      return mesh;
    });
  }

  async load(number) {
    if (!this.meshes[number]) {
      const given = data.meshes[number];
      const [places, faces, pieces, depths] = await Promise.all(
        [given.vertices, given.faces, given.pieces, given.depths].map((one) => one && unpacked(one)));
      const geometry = new THREE.BufferGeometry(), positions = new Float32Array(places.length);
      const lengths = this.size.toArray();
      for (let n = 0; n < places.length; n++) positions[n] = places[n] / 65535 * lengths[n % 3];
      geometry.setAttribute("position", new THREE.BufferAttribute(positions, 3));
      geometry.setAttribute("color", new THREE.BufferAttribute(new Float32Array(places.length), 3));
      geometry.setIndex(new THREE.BufferAttribute(faces, 1));
      geometry.computeVertexNormals();
      const mesh = new THREE.Mesh(geometry, new THREE.MeshLambertMaterial({ vertexColors: true, side: THREE.DoubleSide }));
      this.scene.add(mesh);
      this.meshes[number] = { mesh, pieces, depths };
    }
    this.meshes.forEach((one, other) => { if (one) one.mesh.visible = other === number; });
    this.shown = number;
    this.paint();
  }

  paint() {
    const { mesh, pieces, depths } = this.meshes[this.shown];
    const colours = mesh.geometry.getAttribute("color"), known = new Map();
    for (let n = 0; n < pieces.length; n++) {
      const piece = pieces[n] === 65535 ? -1 : pieces[n];
      const key = this.colour === "depth" && depths ? `d${depths[n]}` : piece;
      let colour = known.get(key);
      if (!colour) {
        colour = this.colour === "depth" && depths ? ofShare(depths[n] / 255)
          : data.groups[this.colour]?.of[piece] !== undefined
            ? new THREE.Color(data.groups[this.colour].names[data.groups[this.colour].of[piece]][1])
          : ofPiece(piece);
        known.set(key, colour);
      }
      const dim = this.chosen !== null && piece !== this.chosen ? 0.25 : 1;
      colours.setXYZ(n, colour.r * dim, colour.g * dim, colour.b * dim);
    }
    colours.needsUpdate = true;
    this.legend();
    this.draw();
  }

  legend() {
    const box = byId("legend");
    box.replaceChildren();
    if (this.colour === "depth") {
      const bar = document.createElement("i");
      bar.style.background = `linear-gradient(to right, ${data.scale.join(",")})`;
      box.append(`distance from the nearer electrode, 0 to ${data.deepest} ${data.unit}`, bar);
    }
    for (const [name, colour] of data.groups[this.colour]?.names ?? []) {
      const line = document.createElement("div");
      line.innerHTML = `<b style="color:${colour}">&#9632;</b> `;
      line.append(name);
      box.append(line);
    }
  }

  look(from) {
    const sides = { x: [1, 0, 0], y: [0, -1, 0.001], z: [0, 0.001, -1], corner: [0.7, -0.75, -0.9] };
    // a narrow window sees less to the sides
    const far = this.radius * 3 * Math.max(1, 1.2 / this.camera.aspect);
    const away = new THREE.Vector3(...sides[from]).normalize().multiplyScalar(far);
    this.camera.up.set(0, -1, 0);
    this.controls.target.copy(this.middle);
    this.camera.position.copy(this.middle).add(away);
    this.controls.update();
    this.draw();
  }

  fly(piece) {
    const there = data.places[piece];
    this.chosen = this.chosen === piece ? null : piece;
    if (this.chosen !== null && there) {
      const goal = new THREE.Vector3(...there.centre), reach = Math.max(there.reach * 3.5, this.radius / 12);
      const away = this.camera.position.clone().sub(this.controls.target).normalize().multiplyScalar(reach);
      const from = this.camera.position.clone(), aim = this.controls.target.clone(), to = goal.clone().add(away);
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1 : 24;
      let step = 0;
      const move = () => {
        step++;
        const share = step / still, eased = share * share * (3 - 2 * share);
        this.camera.position.lerpVectors(from, to, eased);
        this.controls.target.lerpVectors(aim, goal, eased);
        this.controls.update();
        this.draw();
        if (step < still) requestAnimationFrame(move);
      };
      move();
    }
    document.querySelectorAll("tr[data-piece]").forEach((row) =>
      row.classList.toggle("chosen", Number(row.dataset.piece) === this.chosen));
    this.paint();
  }

  resize() {
    const { clientWidth: wide, clientHeight: high } = this.stage;
    this.renderer.setSize(wide, high, false);
    this.camera.aspect = wide / Math.max(high, 1);
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  draw() {
    this.renderer.render(this.scene, this.camera);
    const { clientWidth: wide, clientHeight: high } = this.stage;
    for (const [mark, place] of this.marks) {
      const at = place.clone().project(this.camera);
      mark.style.left = `${(at.x + 1) / 2 * wide}px`;
      mark.style.top = `${(1 - at.y) / 2 * high}px`;
    }
    // a length of 1, 2 or 5 that takes an eighth of the width, in the plane that is turned about
    const distance = this.camera.position.distanceTo(this.controls.target);
    const perPixel = 2 * Math.tan(this.camera.fov * Math.PI / 360) * distance / Math.max(high, 1);
    const wanted = perPixel * wide / 8, power = 10 ** Math.floor(Math.log10(wanted));
    const length = [5, 2, 1].find((one) => one * power <= wanted) * power;
    byId("bar").style.width = `${length / perPixel}px`;
    byId("bar").textContent = `${Number(length.toPrecision(2))} ${data.unit}`;
  }
}

async function begin() {
  if (!data.meshes.length) { flat("There is no lithium to show."); return; }
  if (typeof DecompressionStream === "undefined") { flat("This browser is too old for the view in 3-D."); return; }
  let cell;
  try { cell = new Cell(byId("stage")); } catch (error) { flat("This browser shows no 3-D (WebGL is missing)."); return; }
  window.cell = cell;
  await cell.load(data.first);
  byId("colour").addEventListener("change", (event) => { cell.colour = event.target.value; cell.paint(); });
  byId("electrodes")?.addEventListener("change", (event) => {
    cell.electrodes.forEach((one) => { one.visible = event.target.checked; });
    cell.draw();
  });
  byId("threshold")?.addEventListener("input", async (event) => {
    byId("at").textContent = data.meshes[event.target.value].threshold;
    await cell.load(Number(event.target.value));
  });
  document.querySelectorAll("button[data-look]").forEach((one) => one.addEventListener("click", () => cell.look(one.dataset.look)));
  document.querySelectorAll("tr[data-piece]").forEach((row) => row.addEventListener("click", () => cell.fly(Number(row.dataset.piece))));
  document.body.dataset.ready = "yes";
}
begin();
"""
