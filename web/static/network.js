// The network of a course to move around in. Without this script, and until it is asked for, there are a
// picture and a table of the same; what draws it here, sigma and graphology, is loaded only then.

const WIDTHS = [1, 2.5, 4.5];
const DARK = matchMedia("(prefers-color-scheme: dark)");
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

function load(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Cohorts are discs, with their members as marks on them; y grows upwards in sigma, downwards in the picture.
function graphOf(data) {
  const graph = new window.graphology.Graph();
  data.cohorts.forEach((cohort, number) => {
    const { name, x, y, r, people, shape, silent } = cohort;
    graph.addNode(`c${number}`, { x, y: -y, size: r, color: colour("sunk"), shape: "circle", label: name, zIndex: 0 });
    const color = colour(silent ? "edge" : `net-${cohort.colour}`);
    for (let place = 0; place < people.length; place += 2) {
      const mark = { x: people[place], y: -people[place + 1], size: data.unit * 0.34, color, shape, zIndex: 1 };
      graph.addNode(`c${number}-${place}`, mark);
    }
  });
  data.lines.forEach(([one, two, level]) => {
    graph.addEdge(`c${one}`, `c${two}`, { size: WIDTHS[level] * data.unit / 8, color: colour("net-line") });
  });
  return graph;
}

function show(box, data) {
  const { sdfCircle, sdfSquare, sdfTriangle, sdfDiamond, layerFill } = window.Sigma.rendering;
  const words = box.dataset.hint;
  return new window.Sigma(graphOf(data), box.querySelector(".network-stage"), {
    settings: {
      gestureTarget: "shared", // the wheel and one finger scroll the page; with Ctrl, or two fingers, it is the picture
      sharedGestureWheelMessage: words, sharedGestureAppleWheelMessage: words, sharedGestureTouchMessage: words,
      itemSizesReference: "positions",
      zoomToSizeRatioFunction: (ratio) => ratio,
      labelRenderedSizeThreshold: 9,
      stagePadding: 50,
      enableNodeDrag: false,
    },
    primitives: { nodes: { shapes: [sdfCircle(), sdfSquare(), sdfTriangle(), sdfDiamond()], layers: [layerFill()] } },
    styles: {
      nodes: [
        window.Sigma.DEFAULT_STYLES.nodes,
        { shape: { attribute: "shape" }, zIndex: { attribute: "zIndex" }, labelColor: colour("ink"), labelPosition: "below" },
      ],
    },
  });
}

function steer(box, state) {
  const motion = () => ({ duration: STILL.matches ? 1 : 250 });
  const zooms = {
    in: () => state.renderer.getCamera().zoomIn(motion()),
    out: () => state.renderer.getCamera().zoomOut(motion()),
    all: () => state.renderer.getCamera().reset(motion()),
  };
  for (const button of box.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => zooms[button.dataset.zoom]());
  }
  box.querySelector("select").addEventListener("change", (event) => {
    if (event.target.value === "") return;
    const { x, y } = state.renderer.getNodeDisplayData(`c${event.target.value}`);
    state.renderer.getCamera().animate({ x, y, ratio: Math.min(0.35, 6 / Math.sqrt(state.data.cohorts.length)) }, motion());
  });
}

async function open(box, button) {
  await load(box.dataset.graphology);
  const [answer] = await Promise.all([fetch(button.dataset.explore), load(box.dataset.sigma)]);
  if (!answer.ok) throw new Error(String(answer.status));
  const state = { data: await answer.json() };
  const parts = box.querySelectorAll(".network-stage, .network-tools");
  parts.forEach((each) => { each.hidden = false; }); // sigma needs to know how large its stage is
  try {
    state.renderer = show(box, state.data);
  } catch (error) {
    parts.forEach((each) => { each.hidden = true; });
    throw error;
  }
  DARK.addEventListener("change", () => { state.renderer.kill(); state.renderer = show(box, state.data); });
  steer(box, state);
  box.querySelector(".network-frame").hidden = true;
}

for (const button of document.querySelectorAll("[data-explore]")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    const box = document.querySelector("[data-network]");
    try {
      await open(box, button);
      button.hidden = true;
      box.querySelector("[data-zoom]").focus();
    } catch (error) {
      console.warn(error); // no WebGL, or no connection: the picture stays
      button.textContent = button.dataset.failed;
    }
  });
}
