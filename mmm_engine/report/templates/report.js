// The report's own script: unpacks plotly, draws charts when they come near, keeps the navigation in step.
// Every text it handles came in as data and goes out through textContent or plotly's escaped labels.
"use strict";

const NARROW = 620;
const page = JSON.parse(document.getElementById("page-data").textContent);
const plots = [...document.querySelectorAll(".plot")];
let printing = false;

// --- plotly, packed in the page -----------------------------------------------------------------------------
async function unpackPlotly() {
  const packed = atob(document.getElementById("plotly-packed").textContent.trim());
  const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  if (!window.Plotly) document.head.append(script); // a printing that came first has it already
  if (!window.Plotly) throw new Error("plotly did not start");
  return window.Plotly;
}
let plotly = null;
const loadPlotly = () => (plotly ??= unpackPlotly());

// For printing, which does not wait for what is asynchronous: the same in one go.
function unpackPlotlyNow() {
  if (window.Plotly) return window.Plotly;
  const packed = atob(document.getElementById("plotly-packed").textContent.trim());
  const script = document.createElement("script");
  script.textContent = new TextDecoder().decode(inflated(Uint8Array.from(packed, (letter) => letter.charCodeAt(0))));
  document.head.append(script);
  return window.Plotly;
}

// --- parts that few readers need: closed on a phone, opened by a tap or by a link to them -------------------------
const parts = [...document.querySelectorAll(".for-few")];
const phone = window.matchMedia("(max-width: 700px)");
const foldParts = () => parts.forEach((part) => { part.open = !phone.matches; });
foldParts();
phone.addEventListener("change", () => { if (!printing) foldParts(); });
function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  const part = target?.querySelector(":scope > .for-few:not(.more)") ?? target?.closest(".for-few");
  if (part) part.open = true;
}
window.addEventListener("hashchange", openTarget);
openTarget();

// --- drawing ------------------------------------------------------------------------------------------------
function recoloured(value, key, dark) {
  if (typeof value === "string") {
    const match = /color/i.test(key) && /^rgba\((\d+,\d+,\d+),([\d.]+)\)$/.exec(value);
    return match && dark && page.dark[match[1]] ? `rgba(${page.dark[match[1]]},${match[2]})` : value;
  }
  if (Array.isArray(value)) return /color/i.test(key) || typeof value[0] === "object" ? value.map((item) => recoloured(item, key, dark)) : value;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, recoloured(item, name, dark)]));
}

function figureFor(plot) {
  const narrow = plot.clientWidth < NARROW && document.getElementById(`${plot.id}-narrow`);
  const source = narrow || document.getElementById(`${plot.id}-figure`);
  const figure = recoloured(JSON.parse(source.textContent), "", theme.isDark());
  figure.layout.width = plot.clientWidth;
  figure.layout.dragmode = window.matchMedia("(pointer: coarse)").matches ? false : "zoom";
  plot.dataset.shape = narrow ? "narrow" : "wide";
  return figure;
}

async function draw(plot) {
  if (plot.dataset.state || !plot.clientWidth) return; // what is folded away is drawn once it is opened
  plot.dataset.state = "drawing";
  try {
    const library = await loadPlotly();
    if (plot.dataset.state !== "drawing") return; // drawn for printing meanwhile
    const figure = figureFor(plot);
    await library.newPlot(plot, figure.data, figure.layout, { displayModeBar: false, scrollZoom: false });
    plot.classList.remove("waiting");
    plot.dataset.state = "drawn";
  } catch (error) {
    plot.classList.add("failed");
    plot.dataset.state = "failed";
    console.error(error);
  }
}

function redraw(plot) {
  if (plot.dataset.state !== "drawn") return;
  const figure = figureFor(plot);
  window.Plotly.react(plot, figure.data, figure.layout);
}

const near = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    near.unobserve(entry.target);
    draw(entry.target);
  }
}, { rootMargin: "700px 0px" });
plots.forEach((plot) => near.observe(plot));

// What nobody has scrolled to is drawn one by one when the page is idle, so that print and search find it.
const whenIdle = window.requestIdleCallback || ((work) => setTimeout(work, 200));
async function drawNext() {
  const next = plots.find((plot) => !plot.dataset.state && plot.clientWidth);
  if (!next) { document.documentElement.dataset.charts = "drawn"; return; }
  await draw(next);
  whenIdle(drawNext);
}
window.addEventListener("load", () => whenIdle(drawNext));

theme.onChange(() => plots.forEach(redraw));

// Plots follow their own box, not the window: a folded-out scroll bar or a turned phone counts too.
const widths = new ResizeObserver((entries) => {
  if (printing) return;
  for (const { target: plot } of entries) {
    if (plot.dataset.state === "drawn" && plot.clientWidth && plot.clientWidth !== plot._fullLayout.width) redraw(plot);
  }
});
plots.forEach((plot) => widths.observe(plot));

// --- printing: light, at the width of the paper, every chart ---------------------------------------------------
const PAPER = 690; // pixels between the margins of an A4 page
const SQUAT = 0.78; // lower charts, so that two share a page
let shut = [];
window.addEventListener("beforeprint", () => {
  printing = true;
  shut = [...document.querySelectorAll(".for-few:not([open]), .folded:not([open])")];
  shut.forEach((fold) => { fold.open = true; });
  theme.force("light");
  const library = plots.length ? unpackPlotlyNow() : null;
  for (const plot of plots) {
    if (plot.dataset.state === "failed") continue;
    const figure = figureFor(plot);
    const layout = { ...figure.layout, width: PAPER, height: figure.layout.height * SQUAT };
    if (plot.dataset.state === "drawn") library.react(plot, figure.data, layout);
    else library.newPlot(plot, figure.data, layout, { displayModeBar: false, scrollZoom: false });
    plot.classList.remove("waiting");
    plot.dataset.state = "drawn";
  }
});
window.addEventListener("afterprint", () => {
  printing = false;
  shut.forEach((fold) => { fold.open = false; });
  theme.force(null); // redraws at the width of the screen
});

// --- tools ----------------------------------------------------------------------------------------------------
labelThemeButton(document.getElementById("theme"));
document.getElementById("print").addEventListener("click", () => window.print());

// --- choosing: a button for each value of a column, which shows its rows; without script all rows are there ---------
for (const box of document.querySelectorAll("[data-choose]")) {
  const [table] = box.getElementsByTagName("table");
  const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.trim() === box.dataset.choose);
  const rows = [...table.tBodies[0].rows];
  const valueOf = (row) => row.cells[at].textContent.trim();
  const group = document.createElement("div");
  group.className = "choices no-print";
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", box.dataset.choose);
  const choose = (value) => {
    rows.forEach((row) => row.classList.toggle("off", valueOf(row) !== value));
    for (const button of group.children) button.setAttribute("aria-pressed", String(button.textContent === value));
  };
  for (const value of new Set(rows.map(valueOf))) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = value;
    button.addEventListener("click", () => choose(value));
    group.append(button);
  }
  box.prepend(group);
  [...table.rows].forEach((row) => row.cells[at].classList.add("chosen"));
  choose(valueOf(rows[0]));
}

// --- sorting: every heading of a table with rows worth sorting becomes a button ---------------------------------
function sortKey(cell) {
  if (cell.dataset.value !== undefined) return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  return cell.textContent.trim();
}

function sortTable(table, at, heading) {
  const falling = heading.getAttribute("aria-sort") === "ascending";
  const rows = [...table.tBodies[0].rows].map((row) => [sortKey(row.cells[at]), row]);
  const order = (a, b) => a === null ? 1 : b === null ? -1
    : (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true })) * (falling ? -1 : 1);
  rows.sort(([a], [b]) => order(a, b));
  table.tBodies[0].append(...rows.map(([, row]) => row));
  table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
}

for (const table of document.querySelectorAll(".item table")) {
  if (table.tBodies[0].rows.length < 3) continue;
  [...table.tHead.rows[0].cells].forEach((heading, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortTable(table, at, heading));
    heading.append(button);
  });
}

function tableAsCsv(table) {
  const value = (cell) => csvCell(cell.dataset.value ?? cell.textContent.trim());
  return [...table.rows].map((row) => [...row.cells].map(value).join(",")).join("\r\n") + "\r\n";
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-save]");
  if (!button) return;
  const item = button.closest(".item");
  if (button.dataset.save === "csv") {
    save(`${page.file}-${item.id}.csv`, "text/csv;charset=utf-8", "\ufeff" + tableAsCsv(item.querySelector("table")));
  } else {
    const plot = item.querySelector(".plot");
    await draw(plot);
    const picture = await window.Plotly.toImage(plot, { format: "svg", imageDataOnly: true, width: plot.clientWidth, height: plot.clientHeight });
    save(`${page.file}-${item.id}.svg`, "image/svg+xml", picture);
  }
});

// --- navigation ----------------------------------------------------------------------------------------------
const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
const places = [...links.keys()].map((id) => document.getElementById(id));
const strip = document.querySelector(".contents");
let current = null;
function follow() {
  const line = window.innerHeight * 0.3;
  const at = places.filter((place) => place.getBoundingClientRect().top <= line).pop() || places[0];
  if (!at || at.id === current) return;
  current = at.id;
  links.forEach((link, id) => id === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
  const link = links.get(current);
  if (strip.scrollWidth > strip.clientWidth) strip.scrollTo({ left: link.offsetLeft - 24 });
}
let waiting = false;
window.addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; follow(); });
}, { passive: true });
follow();
