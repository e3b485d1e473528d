// The live page of a dispatching service. Text that comes from outside reaches the document through textContent alone.

const POLL_MS = 1000;
const RETRY_S = { first: 1, longest: 10 };
const PATIENCE_MS = 10_000;
const SHOWN_QUEUES = 40;
const SAMPLES = 600;
const PLACE_COLOURS = 7;
const CHART = { height: 200, left: 56, right: 12, top: 10, bottom: 28 };

const byId = (id) => document.getElementById(id);

/* ---------- Elements, numbers, words ---------- */

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
  return fixed(value, size === 0 ? 0 : size >= 1000 ? 1 : size >= 10 ? 2 : 3);
}
const plural = (count, word) => `${count.toLocaleString("en-GB")} ${word}${count === 1 ? "" : "s"}`;
const set = (id, words) => byId(id).textContent !== words && (byId(id).textContent = words);

/* ---------- Talking to the service ---------- */

let token = null;
let site = null;
let retryS = RETRY_S.first;
let timer = null;
const samples = [];

class Refused extends Error {}

async function call(path) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  // Relative to the page, which a proxy may serve under a path of its own.
  const response = await fetch(`.${path}`, { headers, signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" });
  if (response.status === 401) return lock();
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.detail ?? `the service answered with status ${response.status}`);
  return answer;
}

function setStatus(state, words) {
  set("status", words);
  byId("status").dataset.state = state;
}
function setProblem(words) {
  set("problem", words ?? "");
  byId("problem").hidden = !words;
}
function lock() {
  setStatus("locked", "Token needed");
  if (token) setProblem("The service does not accept this token.");
  token = null;
  byId("main").hidden = true;
  byId("token-form").hidden = false;
  byId("token").focus();
  return null;
}
const again = (ms) => {
  clearTimeout(timer);
  timer = setTimeout(poll, ms);
};

async function poll() {
  if (document.hidden) return again(POLL_MS);
  try {
    site ??= await call("/v1/scenario");
    const now = site && (await call(`/v1/queues?most=${SHOWN_QUEUES}`));
    if (!now) return;
    retryS = RETRY_S.first;
    setStatus("connected", "Connected");
    setProblem(null);
    byId("token-form").hidden = true;
    byId("main").hidden = false;
    show(now);
    again(POLL_MS);
  } catch (error) {
    if (error instanceof Refused) setProblem(error.message);
    setStatus("lost", `Service gone, reconnecting in ${retryS} s`);
    site = null;
    again(retryS * 1000);
    retryS = Math.min(retryS * 2, RETRY_S.longest);
  }
}

/* ---------- What is shown ---------- */

function show(now) {
  document.title = `MR-DRO – ${site.name}`;
  set("scenario-name", `${site.name}: ${plural(site.devices.length, "device")}, ${site.places.join(", ")} · decided by ${now.scheme}`);
  set("tasks", now.tasks.toLocaleString("en-GB"));
  const shares = site.places.map((place) => `${place} ${fixed((100 * now.tasks_by_place[place]) / Math.max(now.tasks, 1), 0)} %`);
  set("tasks-note", now.tasks ? shares.join(", ") : "none has come");
  const known = now.tasks > 0;
  set("cost", known ? figure(now.mean_cost) : "–");
  set("cost-note", known ? `greedy ${figure(now.mean_greedy_cost)}` : "");
  const change = now.mean_greedy_cost > 0 ? 100 * (now.mean_cost / now.mean_greedy_cost - 1) : 0;
  set("regret", known ? `${change > 0 ? "+" : change < 0 ? "−" : ""}${fixed(Math.abs(change), 1)} %` : "–");
  byId("regret").dataset.value = change;
  set("wait", known ? figure(now.mean_wait_s) : "–");
  set("wait-note", `${plural(now.open_tasks, "open task")}, ${now.completed_tasks.toLocaleString("en-GB")} reported as done`);
  showQueues(now);
  showRecent(now.recent);
  if (known) sample(now);
}

const kindOf = (name) => {
  if (name.startsWith("device ")) return 0;
  const place = site.places.findIndex((place, index) => index > 0 && name.includes(place));
  return name.startsWith("uplink") || place < 0 ? 3 : place;
};

function showQueues({ queues, queue_count, time_s }) {
  const list = byId("queues");
  // In the order of their names, so that bars stay where they are.
  const order = new Map(site.queues.map(({ name }, index) => [name, index]));
  const shown = queues.slice().sort((a, b) => order.get(a.name) - order.get(b.name));
  const longest = Math.max(1, ...queues.map(({ backlog_s }) => backlog_s));
  if (list.children.length !== shown.length) list.replaceChildren(...shown.map(() => queueRow()));
  shown.forEach(({ name, backlog_s, tasks }, index) => {
    const [label, track, value] = list.children[index].children;
    label.textContent = name;
    track.className = `track place-${kindOf(name) % PLACE_COLOURS}`;
    track.firstElementChild.style.width = `${(100 * backlog_s) / longest}%`;
    value.textContent = `${figure(backlog_s)} s`;
    value.dataset.value = backlog_s;
    list.children[index].title = plural(tasks, "task");
  });
  const others = queue_count - queues.length;
  set("queues-note", `time ${figure(time_s)} s${others > 0 ? `; the ${queues.length} longest of ${queue_count} queues` : ""}`);
}
const queueRow = () => el("li", {}, el("span", { class: "queue-name" }), el("span", { class: "track" }, el("span", { class: "filled" })), el("span", { class: "queue-value" }));

function showRecent(recent) {
  const row = ({ id, device, size_mb, place, time_s, wait_s, done_s, cost }) =>
    el("tr", {}, el("td", { text: String(id) }), el("td", { text: String(device) }), el("td", { text: figure(size_mb) }), el("td", { text: place }),
      ...[time_s, wait_s, done_s, cost].map((value) => el("td", { text: figure(value) })));
  byId("recent").tBodies[0].replaceChildren(...recent.map(row));
}

/* ---------- The chart ---------- */

const LINES = [["scheme", "mean_cost"], ["greedy", "mean_greedy_cost"]];

function sample({ tasks, mean_cost, mean_greedy_cost }) {
  if (samples.length && samples[samples.length - 1].tasks > tasks) samples.length = 0;
  samples.push({ tasks, mean_cost, mean_greedy_cost });
  if (samples.length > SAMPLES) samples.shift();
  drawChart();
}

function drawChart() {
  const { height, left, right, top, bottom } = CHART;
  const width = Math.max(byId("chart").clientWidth, 320);
  const values = samples.flatMap(({ mean_cost, mean_greedy_cost }) => [mean_cost, mean_greedy_cost]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(high - low, 1e-3 * Math.abs(high), 1e-9);
  const x = (index) => left + ((width - left - right) * index) / Math.max(samples.length - 1, 1);
  const y = (value) => height - bottom - ((height - top - bottom) * (value - low + 0.1 * room)) / (1.2 * room);
  const line = ([name, key]) => svg("polyline", { class: `line-${name}`, points: samples.map((at, index) => `${x(index)},${y(at[key])}`).join(" ") });
  const mark = (value) => svg("text", { class: "chart-mark", x: left - 8, y: y(value) + 4, "text-anchor": "end", text: figure(value) });
  const newest = samples[samples.length - 1];
  const foot = svg("text", { class: "chart-mark", x: width - right, y: height - 8, "text-anchor": "end", text: `after ${plural(newest.tasks, "task")}` });
  const chart = byId("chart");
  chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
  chart.replaceChildren(svg("path", { class: "chart-axis", d: `M${left} ${top}V${height - bottom}H${width - right}` }), mark(low), mark(high), foot, ...LINES.map(line));
  if (!byId("chart-key").children.length) {
    const key = (name) => svg("svg", { width: 22, height: 10, "aria-hidden": "true" }, svg("polyline", { class: `line-${name}`, points: "0,5 22,5" }));
    byId("chart-key").replaceChildren(...LINES.map(([name]) => el("li", {}, key(name), name)));
  }
}

/* ---------- Wiring ---------- */

const THEMES = ["auto", "light", "dark"];
byId("theme").addEventListener("click", () => {
  const root = document.documentElement.dataset;
  const next = THEMES[(THEMES.indexOf(root.theme ?? "auto") + 1) % THEMES.length];
  root.theme = next;
  byId("theme").textContent = `Theme: ${next}`;
});
byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("token").value.trim();
  byId("token").value = "";
  // Other characters cannot stand in a header.
  if (!/^[\x21-\x7e]+$/.test(text)) return setProblem("A token has visible ASCII characters only.");
  token = text;
  setProblem(null);
  poll();
});
new ResizeObserver(() => samples.length && drawChart()).observe(byId("chart"));
poll();
