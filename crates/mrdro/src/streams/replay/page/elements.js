// Replays one run. Text of the scenario reaches the document through textContent alone.

const byId = (id) => document.getElementById(id);
const PLACE_COLOURS = 7;
const PAD = { left: 44, right: 10, top: 8, bottom: 20 };

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}
const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

const fixed = (value, digits) =>
  value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
function figure(value) {
  const size = Math.abs(value);
  return fixed(value, size === 0 || size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3);
}
const short = (value) => value.toLocaleString("en-GB", { maximumSignificantDigits: 3 });
const whole = (value) => value.toLocaleString("en-GB");
const plural = (count, word) => `${whole(count)} ${word}${count === 1 ? "" : "s"}`;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const range = (length) => Array.from({ length }, (_, index) => index);
const most = (values) => values.reduce((high, value) => Math.max(high, value), 0);
const placeClass = (place) => `place-${place % PLACE_COLOURS}`;

function clockText(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
function spanText(seconds) {
  const [size, word] = seconds >= 86400 ? [86400, "day"] : seconds >= 3600 ? [3600, "hour"] : seconds >= 60 ? [60, "minute"] : [1, "second"];
  return plural(Math.round((10 * seconds) / size) / 10, word);
}

/** The first index whose value is greater; values never fall. */
function upper(values, value) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Ticks from the last one not above `low` to the first one not below `high`, at 1, 2 or 5 times a power of ten. */
function ticks(high, about, low = 0) {
  const rough = (high > low ? high - low : Math.abs(high) || 1) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return range(last - first + 1).map((index) => Number(((first + index) * step).toPrecision(12)));
}
function timeTicks(start, end, about) {
  const steps = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800];
  const size = steps.find((seconds) => (end - start) / seconds <= about) ?? (end - start) / about;
  const first = Math.ceil(start / size);
  return range(Math.floor(end / size) - first + 1).map((index) => (first + index) * size);
}

/** How times and values are placed in a picture that shows the seconds from `left` to `right`. */
function frame(target, view, { high, height = 150, low = 0, pad = PAD }) {
  const width = Math.max(target.clientWidth, 160);
  const inner = { width: width - pad.left - pad.right, height: height - pad.top - pad.bottom };
  const x = (seconds) => pad.left + (inner.width * (seconds - view.left)) / (view.right - view.left);
  const y = (value) => pad.top + inner.height * (1 - (value - low) / (high - low || 1));
  const time = (pixels) => view.left + ((pixels - pad.left) / inner.width) * (view.right - view.left);
  target.setAttribute("viewBox", `0 0 ${width} ${height}`);
  target.timeAt = (clientX) => time(((clientX - target.getBoundingClientRect().left) / target.clientWidth) * width);
  return { width, height, pad, x, y, bottom: pad.top + inner.height, view };
}
const timeAxis = ({ x, view, width, height, pad }) =>
  timeTicks(view.left, view.right, Math.max(1, (width - pad.left - pad.right) / 90)).map((seconds) => {
    const isAtTheEnd = x(seconds) > width - 28;
    return svg("text", { x: isAtTheEnd ? width - 2 : x(seconds), y: height - 5, "text-anchor": isAtTheEnd ? "end" : "middle", text: clockText(seconds) });
  });
const valueAxis = ({ y, width, pad }, marks, words = short) => marks.flatMap((mark) => [
  svg("line", { class: "grid", x1: pad.left, x2: width - pad.right, y1: y(mark), y2: y(mark) }),
  svg("text", { x: pad.left - 6, y: y(mark) + 4, "text-anchor": "end", text: words(mark) }),
]);
/** What lies after the cursor is pale. */
const cursor = ({ x, pad, width, bottom }, time) => [
  svg("rect", { class: "future", x: x(time), y: 0, width: Math.max(0, width - x(time)), height: bottom }),
  svg("line", { class: "cursor", x1: x(time), x2: x(time), y1: 0, y2: bottom }),
];

/** A line of steps through values from their times on; of several in a pixel the highest and the last are drawn. */
function stepLine({ x, y, view }, times, values, floor = 0) {
  let index = upper(times, view.left);
  const points = [];
  let path = `M${x(view.left).toFixed(1)} ${y(index ? values[index - 1] : floor).toFixed(1)}`;
  while (index < times.length && times[index] <= view.right) {
    const pixel = Math.round(2 * x(times[index])) / 2;
    let high = values[index];
    while (index + 1 < times.length && times[index + 1] <= view.right && Math.round(2 * x(times[index + 1])) / 2 === pixel) {
      index += 1;
      high = Math.max(high, values[index]);
    }
    points.push(`H${pixel}V${y(high).toFixed(1)}${high === values[index] ? "" : `V${y(values[index]).toFixed(1)}`}`);
    index += 1;
  }
  path += points.join("");
  return `${path}H${x(Math.min(view.right, view.end ?? view.right)).toFixed(1)}`;
}
/** The area below such a line. */
const stepArea = (place, times, values) => {
  const { x, y, view } = place;
  const line = stepLine(place, times, values);
  return `M${x(view.left).toFixed(1)} ${y(0).toFixed(1)}L${line.slice(1)}V${y(0).toFixed(1)}Z`;
};

const swatch = (place, letter) =>
  svg("svg", { width: 16, height: 16, class: placeClass(place), "aria-hidden": "true" },
    svg("rect", { class: "swatch", width: 16, height: 16, rx: 3 }),
    svg("text", { class: "swatch-letter", x: 8, y: 12, "text-anchor": "middle", text: letter }));

function tiles(rows) {
  byId("tiles").replaceChildren(...rows.map(({ id, title, unit, note }) => el("div", { class: "tile" },
    el("dt", { text: title }),
    el("dd", {}, el("span", { id, text: "–" }), ...(unit ? [" ", el("span", { class: "unit", text: unit })] : [])),
    el("dd", { class: "tile-note", id: `${id}-note`, text: note }))));
}
function setText(id, words) {
  const node = byId(id);
  if (node.textContent !== words) node.textContent = words;
}
function chartFigure(id, title, label) {
  const chart = svg("svg", { id, class: "chart", role: "img", "aria-label": label });
  byId("charts").append(el("figure", {}, el("figcaption", { text: title }), chart));
  return chart;
}
function tableRows(header, rows) {
  byId("table").tHead.replaceChildren(el("tr", {}, ...header.map((text) => el("th", { scope: "col", text }))));
  byId("table").tBodies[0].replaceChildren(...rows.map(({ cells, chosen }) => el("tr", { class: chosen && "chosen" },
    ...cells.map((cell, index) => {
      const node = el(index ? "td" : "th", index ? {} : { scope: "row" });
      node.append(cell);
      return node;
    }))));
}

