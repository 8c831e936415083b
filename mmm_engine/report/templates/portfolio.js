// The portfolio's own script: keeps all rows as data, draws as many as anyone looks at.
// Names and reasons go into the page through textContent only.
"use strict";

const page = JSON.parse(document.getElementById("page-data").textContent);
const MARKS = { bad: "✕", care: "!", good: "✓", plain: "…" };
const CHUNK = 100; // rows drawn at a time: 5,000 at once would keep the page from opening
const PRINTED = 1000;

const clients = page.rows.map(([client, verdict, reason, lastDate, recorded, numbers, written, trend, link, lateAfter], place) => ({
  client, verdict, reason, last_date: lastDate, recorded, numbers, written, trend, link, lateAfter, place,
  words: `${client}\n${reason}`.toLowerCase(),
  values: Object.fromEntries(page.measures.map((measure, at) => [measure.name, numbers[at]])),
}));
const byId = (id) => document.getElementById(id);
const state = { find: "", verdicts: new Set(), stale: false, key: null, falling: false };
let list = clients;
let drawn = 0;

// --- rows -----------------------------------------------------------------------------------------------------
function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function cell(label, content, className) {
  const made = element("td", className);
  if (label) made.dataset.label = label;
  made.append(content);
  return made;
}

function nameCell(row) {
  const made = element("th");
  made.scope = "row";
  const name = element("bdi", "", row.client);
  if (row.link) {
    const link = element("a");
    link.href = row.link;
    link.append(name);
    made.append(link);
  } else made.append(name);
  return made;
}

function verdictCell(row) {
  const pill = element("span", "pill");
  const tone = page.tones[row.verdict] || "bad";
  pill.dataset.tone = tone;
  const mark = element("span", "", MARKS[tone]);
  mark.setAttribute("aria-hidden", "true");
  pill.append(mark, row.verdict);
  return cell("", pill);
}

function reasonCell(row) {
  const words = element("span", "", row.reason);
  words.title = row.reason;
  return cell("", words, "why");
}

function numberCell(row, measure, at) {
  const value = row.numbers[at];
  const limit = measure.name === "stale_days" ? row.lateAfter : measure.limit;
  const beyond = value !== null && limit !== null && (measure.side === "most" ? value > limit : value < limit);
  const made = element("span", beyond ? "beyond" : "", value === null ? "–" : row.written[at]);
  if (measure.name === "stale_days") made.title = `late from ${Math.round(limit)} days on`;
  return cell(measure.label, made, "number");
}

function sparkline(values) {
  const known = values.filter((value) => value !== null);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 92 26");
  svg.setAttribute("role", "img");
  const percent = (value) => `${(100 * value).toPrecision(2)}%`;
  svg.setAttribute("aria-label", known.length > 1 ? `from ${percent(known[0])} to ${percent(known[known.length - 1])}` : "one refresh");
  if (!known.length) return element("span", "", "–");
  const low = Math.min(...known);
  const reach = Math.max(...known) - low || 1;
  const x = (at) => (values.length > 1 ? 2 + (88 * at) / (values.length - 1) : 46);
  const y = (value) => (known.length > 1 ? 23 - (20 * (value - low)) / reach : 13);
  let pen = "M";
  const steps = values.map((value, at) => {
    if (value === null) { pen = "M"; return ""; }
    const step = `${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
    return step;
  });
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", steps.join(""));
  const end = document.createElementNS(svg.namespaceURI, "circle");
  const last = values.findLastIndex((value) => value !== null);
  end.setAttribute("cx", x(last));
  end.setAttribute("cy", y(values[last]));
  end.setAttribute("r", 2.5);
  svg.append(path, end);
  return svg;
}

function tableRow(row) {
  const made = element("tr");
  const date = element("span", "", row.last_date || "–");
  if (row.recorded) date.title = `Refreshed ${row.recorded}`;
  made.append(nameCell(row), verdictCell(row), reasonCell(row), cell("Data to", date, "date"));
  page.measures.forEach((measure, at) => made.append(numberCell(row, measure, at)));
  made.append(cell("Trend", sparkline(row.trend)));
  return made;
}

function drawMore(number = CHUNK) {
  const part = document.createDocumentFragment();
  list.slice(drawn, drawn + number).forEach((row) => part.append(tableRow(row)));
  byId("rows").append(part);
  drawn = Math.min(list.length, drawn + number);
  byId("more").hidden = drawn >= list.length;
}

// --- order and filter -----------------------------------------------------------------------------------------
function compare(one, other) {
  const key = state.key;
  const value = (row) => (key === "verdict" ? row.place : key in row.values ? row.values[key] : row[key]);
  const [a, b] = [value(one), value(other)];
  const missing = (v) => v === null || v === "";
  if (missing(a) || missing(b)) return missing(a) - missing(b) || one.place - other.place; // unknown comes last
  const order = typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
  return (state.falling ? -order : order) || one.place - other.place;
}

function update() {
  list = clients.filter((row) => (!state.find || row.words.includes(state.find))
    && (!state.verdicts.size || state.verdicts.has(row.verdict))
    && (!state.stale || row.values.stale_days === null || row.values.stale_days > row.lateAfter));
  if (state.key) list.sort(compare);
  byId("rows").replaceChildren();
  drawn = 0;
  drawMore();
  byId("nothing").hidden = list.length > 0;
  byId("shown").textContent = `${list.length.toLocaleString("en")} of ${clients.length.toLocaleString("en")} clients`;
  document.querySelectorAll("th[data-key]").forEach((head) => {
    if (head.dataset.key === state.key) head.setAttribute("aria-sort", state.falling ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
}

document.querySelectorAll("th[data-key] button").forEach((button) => {
  const key = button.parentElement.dataset.key;
  button.addEventListener("click", () => {
    state.falling = state.key === key ? !state.falling : false;
    state.key = key;
    update();
  });
});
document.querySelectorAll(".chip[data-verdict]").forEach((chip) => chip.addEventListener("click", () => {
  const word = chip.dataset.verdict;
  const on = !state.verdicts.delete(word);
  if (on) state.verdicts.add(word);
  chip.setAttribute("aria-pressed", String(on));
  update();
}));
byId("stale").addEventListener("click", () => {
  state.stale = !state.stale;
  byId("stale").setAttribute("aria-pressed", String(state.stale));
  update();
});
byId("find").addEventListener("input", (event) => {
  state.find = event.target.value.trim().toLowerCase();
  update();
});
byId("worst").addEventListener("click", () => { state.key = null; state.falling = false; update(); });
byId("more").addEventListener("click", () => drawMore());
new IntersectionObserver(([end]) => end.isIntersecting && drawn < list.length && drawMore(), { rootMargin: "1200px" })
  .observe(byId("more"));
window.addEventListener("beforeprint", () => drawMore(PRINTED));

byId("save").addEventListener("click", () => {
  const heads = ["client", "verdict", "reason", "last_date", "recorded_at", ...page.measures.map((m) => m.name)];
  const line = (row) => [row.client, row.verdict, row.reason, row.last_date, row.recorded, ...row.numbers.map((n) => (n === null ? "" : String(n)))];
  const lines = [heads, ...list.map(line)].map((cells) => cells.map(csvCell).join(","));
  save("portfolio.csv", "text/csv;charset=utf-8", "\ufeff" + lines.join("\r\n") + "\r\n");
});

labelThemeButton(byId("theme"));
update();
