// The live page of the decision service. Text that comes from outside reaches the document through textContent alone.

const RETRY_S = { first: 1, longest: 10 };
const HEARTBEAT_MS = 10_000;
const PATIENCE_MS = 30_000;
const ANNOUNCE_AFTER_MS = 1000;
const MOVED_FOR_MS = 4000;
const MAX_FILE_BYTES = 5e6;
const MAX_WINDOWS = 20_000;
const WINDOW_S = 60;
const MANY_ROWS = 30;
const TOLD_APART = 6;
const PLACE_COLOURS = 7;
const TEXTURES = 4;
const ROLES = ["chosen", "greedy", "exact"];
const DASHES = ["", "7 4", "2 4", "10 3 2 3", "4 2", "12 5"];

const byId = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

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

function fixed(value, digits) {
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
function figure(value) {
  const size = Math.abs(value);
  return fixed(value, size === 0 ? 0 : size >= 1000 ? 1 : size >= 10 ? 2 : 3);
}
function short(value) {
  return value.toLocaleString("en-GB", { maximumSignificantDigits: 3 });
}
/** Rounded down, so that 100 % is said of the optimum alone. */
const percent = (share) => `${fixed(Math.floor(share * 1e4 + 1e-5) / 100, 2)} %`;
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const asList = (value, length) => (Array.isArray(value) ? value.slice() : Array(length).fill(value));
const extremes = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
const range = (length) => Array.from({ length }, (_, index) => index);

function clockText(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Ticks from `low` to the first one not below `high`, at 1, 2 or 5 times a power of ten. */
function ticks(low, high, about) {
  const rough = Math.max(high - low, Number.MIN_VALUE) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return range(last - first + 1).map((index) => Number(((first + index) * step).toPrecision(12)));
}

/* ---------- Talking to the service ---------- */

class Problem extends Error {
  constructor(status, body, retryAfter) {
    const words = body?.detail || body?.title || `the service answered with status ${status}`;
    super(body?.field ? `${words} (${body.field})` : words);
    Object.assign(this, { status, field: body?.field, retryAfterMs: 1000 * clamp(Number(retryAfter) || 1, 0.1, 60) });
  }
}
class Gone extends Error {}

let token = null;

async function call(method, path, body) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  let answer = null;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    // Relative to the page, which a proxy may serve under a path of its own.
    response = await fetch(`.${path}`, { method, headers, signal, body: body && JSON.stringify(body), cache: "no-store" });
    answer = await response.json();
  } catch {
    if (!response) throw new Gone("The service does not answer.");
  }
  if (!response.ok) throw new Problem(response.status, answer, response.headers.get("Retry-After"));
  if (answer === null) throw new Problem(response.status, { detail: "the service’s answer is not JSON" });
  return answer;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** At most one request in flight; of those that wait, only the newest is sent. */
function lane(name, send, show) {
  let waiting = null;
  let running = false;

  async function attempt(snapshot) {
    try {
      const answer = await send(snapshot);
      if (snapshot.scenario !== scenario) return;
      setProblem(name, null);
      show(snapshot, answer);
    } catch (error) {
      if (!(await recover(name, error))) return;
      waiting ??= snapshot;
    }
  }
  async function drain() {
    running = true;
    while (waiting && connection.open) {
      const snapshot = waiting;
      waiting = null;
      await attempt(snapshot);
    }
    waiting = null;
    running = false;
  }
  return {
    ask(snapshot) {
      waiting = snapshot;
      if (!running) drain();
    },
    get busy() {
      return running;
    },
  };
}

/** Says what went wrong; resolves to whether the same request should be sent again. */
async function recover(name, error) {
  if (error instanceof Gone) return lost(), false;
  if (!(error instanceof Problem)) throw error;
  if (error.status === 401) return lock(), false;
  if (error.status === 503) {
    setStatus("busy", `Service busy, asking again in ${plural(Math.ceil(error.retryAfterMs / 1000), "second")}`);
    await pause(error.retryAfterMs);
    if (connection.open) setStatus("connected", "Connected");
    return true;
  }
  setProblem(name, error.message);
  return false;
}

/* ---------- Connection ---------- */

const connection = { open: false, retryS: RETRY_S.first, timer: null };
const problems = new Map();
let scenario = null;

function setStatus(state, words) {
  const status = byId("status");
  if (status.textContent !== words) status.textContent = words;
  status.dataset.state = state;
}

function setProblem(name, words) {
  if (words) problems.set(name, words);
  else problems.delete(name);
  const text = [...new Set(problems.values())].join(" · ");
  const box = byId("problem");
  if (box.textContent !== text) box.textContent = text;
  box.hidden = !text;
}

function lost() {
  connection.open = false;
  if (connection.timer) return;
  setStatus("lost", `Service gone, reconnecting in ${connection.retryS} s`);
  connection.timer = setTimeout(connect, connection.retryS * 1000);
  connection.retryS = Math.min(connection.retryS * 2, RETRY_S.longest);
}

function lock() {
  connection.open = false;
  setStatus("locked", "Token needed");
  if (token) setProblem("token", "The service does not accept this token.");
  byId("main").hidden = true;
  byId("token-form").hidden = false;
  byId("token").focus();
}

async function connect() {
  clearTimeout(connection.timer);
  connection.timer = null;
  try {
    const found = await call("GET", "/v1/scenario");
    connection.open = true;
    connection.retryS = RETRY_S.first;
    setStatus("connected", "Connected");
    setProblem("connect", null);
    await adoptScenario(found);
  } catch (error) {
    if (await recover("connect", error)) connect();
  }
}

const shapeOf = ({ name, devices, tasks_per_device, tasks_of_devices, places, schemes, deadlines, size_mb }) =>
  JSON.stringify([name, devices, tasks_per_device, tasks_of_devices, places, schemes, deadlines, size_mb]);
const tasksOf = (device) => scenario.tasks_of_devices?.[device] ?? scenario.tasks_per_device;

async function adoptScenario(found) {
  const known = scenario && shapeOf(scenario) === shapeOf(found);
  scenario = found;
  byId("token-form").hidden = true;
  byId("main").hidden = false;
  showScenario();
  if (!known) build();
  decide();
  await Promise.all([showRecord(), known ? null : loadDrive()]);
}

function showScenario() {
  const { name, devices, tasks_per_device, tasks_of_devices, places, reads_environment } = scenario;
  const tasks = tasks_of_devices ? `up to ${plural(tasks_per_device, "task")}` : plural(tasks_per_device, "task");
  document.title = `MR-DRO – ${name}`;
  byId("scenario-name").textContent =
    `${name}: ${plural(devices, "device")} × ${tasks}, ${places.map(placeWords).join(", ")}${deadlineWords()}`;
  byId("environment-note").textContent = reads_environment
    ? "Uplinks, capacities and α count for this page only."
    : "Uplinks, capacities and α count for this page only. The record’s networks do not read them: until it is adapted, the ensemble decides as if nothing had changed.";
}

function placeWords(name, place) {
  const latency = scenario.servers[place - 1]?.latency_ms;
  return latency ? `${name} (latency ${short(latency)} ms)` : name;
}
function deadlineWords() {
  if (!scenario.deadlines) return "";
  const { deadline_rule, deadline_penalty } = scenario.deadlines;
  const costs = { report: "are counted", penalty: `cost ${short(deadline_penalty ?? 0)} each`, hard: "count before all costs" };
  return `; missed deadlines ${costs[deadline_rule]}`;
}

/** What the page can do without: null, with a word about it, where the service refuses it. */
async function optional(what, path) {
  try {
    const answer = await call("GET", path);
    setProblem(what, null);
    return answer;
  } catch (error) {
    if (!(error instanceof Problem) || error.status === 401) throw error;
    setProblem(what, `The ${what} could not be read: ${error.message}`);
    return null;
  }
}

/** In words: networks for one scenario, or for any fleet. */
function shapeOfNetworks({ network, networks }) {
  if (network) return `, ${plural(network.dnns, "network")} of ${[network.inputs, ...network.hidden, network.outputs].join("–")}`;
  if (networks) return `, ${plural(networks.nets, "network")} for any fleet of ${plural(networks.rounds, "round")} with ${plural(networks.width, "unit")}`;
  return "";
}

async function showRecord() {
  const record = await optional("record", "/v1/record");
  byId("record-name").textContent = record ? `record ${record.path}${shapeOfNetworks(record)}` : "";
  byId("record-name").title = record?.loaded ? `loaded ${record.loaded}` : "";
}

function heartbeat() {
  if (!connection.open || document.hidden) return;
  call("GET", "/healthz").catch((error) => error instanceof Gone && lost());
}

/* ---------- State and controls ---------- */

const state = { sizes: [], deadlines: null, uplinks: [], capacities: [], alpha: 0.5, scheme: "", window: null };
const sliders = { sizes: [], deadlines: [], uplinks: [], capacities: [], alpha: null };
let windowCosts = [];

function setEnvironment({ uplink_mbps, capacity, alpha }) {
  state.uplinks = asList(uplink_mbps, scenario.devices);
  state.capacities = asList(capacity, scenario.servers.length);
  state.alpha = alpha;
  state.window = null;
}
const environment = () => ({ uplink_mbps: state.uplinks.slice(), capacity: state.capacities.slice(), alpha: state.alpha });

const linear = (min, max, step) => ({ min, max, step, toPosition: (value) => value, toValue: (position) => position });
/** Positions are decimal logarithms; contains `values` and at least `low` to `high`. */
function logarithmic(low, high, values) {
  const above0 = values.filter((value) => value > 0);
  return {
    min: Math.floor(Math.log10(Math.min(low, ...above0)) + 1e-9),
    max: Math.ceil(Math.log10(Math.max(high, ...above0)) - 1e-9),
    step: 0.01,
    toPosition: Math.log10,
    toValue: (position) => Number((10 ** position).toPrecision(3)),
  };
}

function sizeScale() {
  const { min, max } = scenario.size_mb;
  const [low, high] = [min * 0.5, max * 1.5];
  const step = 10 ** Math.floor(Math.log10((high - low) / 100));
  const whole = (value) => Number((Math.max(1, Math.round(value / step)) * step).toPrecision(12));
  return { ...linear(whole(low), whole(high), step), whole };
}

function slider({ id, label, name, scale, words, spoken = words, onInput }) {
  // No <output>: it would be a live region for each slider, and the input says the same.
  const shownValue = el("span", { class: "value" });
  const input = el("input", { type: "range", id, min: scale.min, max: scale.max, step: scale.step, "aria-label": name });
  const show = (value) => {
    shownValue.textContent = words(value);
    input.setAttribute("aria-valuetext", spoken(value));
    input.style.setProperty("--fill", `${(100 * (input.value - scale.min)) / (scale.max - scale.min)}%`);
  };
  input.addEventListener("input", () => {
    const value = scale.toValue(Number(input.value));
    show(value);
    onInput(value);
  });
  return {
    element: el("div", { class: "slider" }, el("label", { for: id, text: label }), shownValue, input),
    set(value) {
      input.value = clamp(scale.toPosition(value), scale.min, scale.max);
      show(value);
    },
  };
}

const megabytes = (value) => `${value.toLocaleString("en-GB", { maximumFractionDigits: 3 })} MB`;
const mbps = (value) => `${short(value)} Mbit/s`;

function buildAlpha() {
  sliders.alpha = slider({
    id: "alpha", label: "α, energy : time", name: "α, energy : time", scale: linear(0, 1, 0.01),
    words: (value) => `${fixed(value, 2)} : ${fixed(1 - value, 2)}`,
    spoken: (value) => `${fixed(value, 2)}, ${Math.round(value * 100)} % energy and ${Math.round((1 - value) * 100)} % time`,
    onInput: (value) => changed(() => (state.alpha = value)),
  });
  byId("alpha-slider").replaceChildren(sliders.alpha.element);
}

function buildServers() {
  const scale = logarithmic(0.1, 10, scenario.own_environment.capacity.concat(scenario.environment.capacity));
  sliders.capacities = scenario.servers.map(({ name, tier }, server) => slider({
    id: `capacity-${server}`, label: `${name} capacity`, name: `${name} capacity (${tier} server)`, scale,
    words: (value) => `${short(value)} × nominal`,
    onInput: (value) => changed(() => (state.capacities[server] = value)),
  }));
  byId("server-sliders").replaceChildren(...sliders.capacities.map(({ element }) => element));
}

function buildDevice(device, scales) {
  const uplink = slider({
    id: `uplink-${device}`, label: "Uplink", name: `Uplink of device ${device + 1}`, scale: scales.uplink, words: mbps,
    onInput: (value) => moveUplink(device, value),
  });
  const deadline = buildDeadline(device);
  const sizes = range(tasksOf(device)).map((task) => slider({
    id: `size-${device}-${task}`, label: `Task ${task + 1}`, name: `Task ${task + 1} of device ${device + 1}, size`,
    scale: scales.size, words: megabytes,
    onInput: (value) => changed(() => (state.sizes[device][task] = value)),
  }));
  sliders.uplinks[device] = uplink;
  sliders.deadlines[device] = deadline;
  sliders.sizes[device] = sizes;
  const open = device === 0 || scenario.devices * (scenario.tasks_per_device + 1) <= 16;
  return el("details", { class: "device", open },
    el("summary", {}, `Device ${device + 1}`, el("span", { class: "note", id: `summary-${device}` })),
    el("div", { class: "sliders" }, ...[uplink, deadline, ...sizes].filter(Boolean).map(({ element }) => element)));
}

/** Null for a device whose tasks have no deadline. */
function buildDeadline(device) {
  const own = scenario.deadlines?.deadline_s[device];
  return own ? slider({
    id: `deadline-${device}`, label: "Deadline", name: `Deadline of the tasks of device ${device + 1}`,
    scale: logarithmic(own / 10, own * 10, []), words: (value) => `${short(value)} s`,
    onInput: (value) => changed(() => (state.deadlines[device] = value)),
  }) : null;
}

function buildDevices() {
  const known = scenario.own_environment.uplink_mbps.concat(scenario.environment.uplink_mbps);
  const scales = { uplink: logarithmic(0.1, 1000, known), size: sizeScale() };
  Object.assign(sliders, { uplinks: [], deadlines: [], sizes: [] });
  byId("device-sliders").replaceChildren(...range(scenario.devices).map((device) => buildDevice(device, scales)));
}

function buildSchemes() {
  byId("scheme").replaceChildren(...scenario.schemes.map((name) => el("option", { value: name, text: name })));
  state.scheme = scenario.schemes.includes("ensemble") ? "ensemble" : scenario.schemes[0];
  byId("scheme").value = state.scheme;
}

function build() {
  buildSchemes();
  buildAlpha();
  buildServers();
  buildDevices();
  buildPicture();
  buildTable();
  buildComparison();
  setEnvironment(scenario.environment);
  resetTasks();
  syncControls();
}

function resetTasks() {
  state.sizes = evenSizes();
  state.deadlines = scenario.deadlines?.deadline_s.slice() ?? null;
}
/** From small to large on every device, with the mean of the range. */
function evenSizes() {
  const { min, max } = scenario.size_mb;
  const { whole } = sizeScale();
  return range(scenario.devices).map(tasksOf).map((tasks) =>
    range(tasks).map((task) => whole(min + ((max - min) * (task + 1)) / (tasks + 1))));
}
function randomSizes() {
  const { min, max } = scenario.size_mb;
  const { whole } = sizeScale();
  return state.sizes.map((row) => row.map(() => whole(min + Math.random() * (max - min))));
}

function syncUplinks() {
  state.uplinks.forEach((value, device) => sliders.uplinks[device].set(value));
}
function syncControls() {
  sliders.alpha.set(state.alpha);
  state.capacities.forEach((value, server) => sliders.capacities[server].set(value));
  state.sizes.forEach((row, device) => row.forEach((value, task) => sliders.sizes[device][task].set(value)));
  state.deadlines?.forEach((value, device) => sliders.deadlines[device]?.set(value));
  syncUplinks();
}
function showSummaries() {
  state.sizes.forEach((row, device) => {
    const sizes = row.length ? `${row.map(short).join(", ")} MB` : "no tasks";
    byId(`summary-${device}`).textContent = `${sizes} · ${mbps(state.uplinks[device])}`;
  });
}

/** A change after which costs of other windows no longer compare. */
function changed(apply) {
  apply();
  windowCosts = [];
  decide();
}
function moveUplink(device, value) {
  state.uplinks[device] = value;
  state.window = null;
  decide();
}

let adopting = false;
async function makeItTheServices() {
  const answer = byId("adopt-answer");
  askToAdopt(false);
  if (adopting) return;
  adopting = true;
  answer.textContent = "Asking the service…";
  try {
    const { environment: now, note } = await call("PUT", "/v1/environment", environment());
    scenario.environment = now;
    answer.textContent = `The service’s environment has changed: ${note}.`;
  } catch (error) {
    answer.textContent = `Not changed: ${error.message}`;
    if (error instanceof Gone) lost();
    else if (error.status === 401) lock();
  }
  adopting = false;
}
function askToAdopt(open) {
  byId("adopt-confirm").hidden = !open;
  byId("adopt").setAttribute("aria-expanded", open);
  byId("adopt-answer").textContent = "";
  byId(open ? "adopt-yes" : "adopt").focus();
}

/* ---------- Decisions ---------- */

const shown = { chosen: null, greedy: null, exact: null };
const schemeOf = (role) => (role === "chosen" ? state.scheme : role);
let version = 0;

const lanes = Object.fromEntries(ROLES.map((role) => [role, lane(role, (snapshot) => ask(role, snapshot), (snapshot, answer) => showAnswer(role, snapshot, answer))]));

function decide() {
  showSummaries();
  drawReplaySoon();
  const snapshot = {
    scenario, windowCosts, version: ++version, window: state.window, scheme: state.scheme,
    sizes: state.sizes.map((row) => row.slice()), deadlines: state.deadlines?.slice(), environment: environment(),
  };
  if (connection.open) ROLES.forEach((role) => lanes[role].ask(snapshot));
}

async function ask(role, snapshot) {
  const scheme = role === "chosen" ? snapshot.scheme : role;
  const request = { tasks_mb: snapshot.sizes, environment: snapshot.environment, scheme, explain: role === "chosen" };
  if (snapshot.deadlines) request.deadline_s = snapshot.deadlines;
  const start = performance.now();
  try {
    const answer = await call("POST", "/v1/decide", request);
    return { ...answer, roundTripMs: performance.now() - start };
  } catch (error) {
    const cannot = error.status === 422 && (!error.field || error.field === "scheme");
    if (!cannot) throw error;
    return { refused: error.message, scheme };
  }
}

function showAnswer(role, snapshot, answer) {
  const before = shown[role];
  shown[role] = { snapshot, answer };
  if (snapshot.window !== null && !answer.refused) {
    (snapshot.windowCosts[snapshot.window] ??= {})[role] = answer.cost;
    drawReplaySoon();
  }
  if (role === "chosen") showDecision(before, shown.chosen);
  showComparison();
}

function showDecision(before, { answer, snapshot }) {
  setProblem("refused", answer.refused);
  byId("plan").hidden = Boolean(answer.refused);
  showTiles(answer);
  if (!answer.refused) {
    const comparable = before?.snapshot.scenario === snapshot.scenario && !before.answer.refused;
    noteMoves(comparable ? before.answer.placements : answer.placements, answer.placements);
    byId("picture").classList.toggle("glides", Boolean(before));
    drawPicture();
    showTable();
  }
  const root = document.documentElement.dataset;
  root.ready = "true";
  root.decisions = Number(root.decisions ?? 0) + 1;
  announceSoon();
}

function setFigure(target, value) {
  target.classList.remove("words");
  target.textContent = figure(value);
  target.dataset.value = value;
}
function setWords(target, words) {
  target.classList.add("words");
  target.textContent = words;
  delete target.dataset.value;
}

function showTiles(answer) {
  if (answer.refused) {
    setWords(byId("cost"), "too large to compute");
    ["energy", "time", "decided-in"].forEach((id) => setWords(byId(id), "–"));
    byId("round-trip").textContent = "";
    return;
  }
  setFigure(byId("cost"), answer.cost);
  setFigure(byId("energy"), answer.energy_j);
  setFigure(byId("time"), answer.time_s);
  byId("decided-in").textContent = short(answer.decided_in_us);
  byId("decided-in").dataset.value = answer.decided_in_us;
  byId("round-trip").textContent = `round trip ${fixed(answer.roundTripMs, 1)} ms`;
}

/** The share, once the optimum of the very same question is known; 0 for who misses more hard deadlines than the optimum. */
function q2Of(role) {
  const [one, best] = [shown[role], shown.exact];
  const same = one && best && one.snapshot.version === best.snapshot.version;
  if (!same || one.answer.refused || best.answer.refused) return null;
  const worse = scenario.deadlines?.deadline_rule === "hard" && one.answer.missed_deadlines > best.answer.missed_deadlines;
  return worse ? 0 : best.answer.cost / one.answer.cost;
}

function showComparison() {
  for (const role of ROLES) {
    const now = shown[role];
    if (now) showRow(role, now);
  }
  const q2 = q2Of("chosen");
  byId("cost-note").textContent = q2 === null ? "" : `Q2 ${percent(q2)}`;
}

/** With a column of missed deadlines where there are deadlines. */
function buildComparison() {
  document.querySelectorAll(".figures .missed").forEach((cell) => cell.remove());
  byId("q2-hard").hidden = scenario.deadlines?.deadline_rule !== "hard";
  if (!scenario.deadlines) return;
  const head = el("th", { scope: "col", class: "missed", text: "Missed" });
  byId("row-chosen").closest("table").tHead.rows[0].append(head);
  ROLES.forEach((role) => byId(`row-${role}`).append(el("td", { class: "missed" })));
}
const missedWords = ({ missed_deadlines, tasks_with_deadline }) => `${missed_deadlines} of ${tasks_with_deadline}`;

function showRow(role, { answer, snapshot }) {
  const row = byId(`row-${role}`);
  const [name, cost, energy, time, q2, missed] = row.cells;
  const target = cost.firstElementChild ?? cost;
  const share = q2Of(role);
  if (role === "chosen") name.textContent = answer.scheme;
  row.classList.toggle("old", snapshot.version !== shown.chosen?.snapshot.version);
  if (answer.refused) setWords(target, "too large to compute");
  else setFigure(target, answer.cost);
  energy.textContent = answer.refused ? "–" : figure(answer.energy_j);
  time.textContent = answer.refused ? "–" : figure(answer.time_s);
  q2.textContent = share === null ? "–" : percent(share);
  if (missed) missed.textContent = answer.missed_deadlines === undefined ? "–" : missedWords(answer);
}

let announceTimer = null;
function announceSoon() {
  clearTimeout(announceTimer);
  announceTimer = setTimeout(() => {
    if (replay.playing || !shown.chosen) return;
    const { answer } = shown.chosen;
    const q2 = q2Of("chosen");
    byId("announcement").textContent = answer.refused
      ? `${answer.scheme}: too large to compute.`
      : `${answer.scheme}: cost ${figure(answer.cost)}, energy ${figure(answer.energy_j)} joules, time ${figure(answer.time_s)} seconds` +
        (answer.missed_deadlines === undefined ? "" : `, ${missedWords(answer)} deadlines missed`) +
        (q2 === null ? "." : `, ${percent(q2)} Q2.`);
  }, ANNOUNCE_AFTER_MS);
}

/* ---------- Tasks that moved ---------- */

const moves = { list: [], until: 0, timer: null };

function noteMoves(before, after) {
  const list = [];
  after.forEach((row, device) => row.forEach((to, task) => {
    const from = before[device][task];
    if (from !== to) list.push({ device, task, from, to });
  }));
  if (!list.length) return;
  Object.assign(moves, { list, until: performance.now() + MOVED_FOR_MS });
  clearTimeout(moves.timer);
  moves.timer = setTimeout(drawPicture, MOVED_FOR_MS);
  showMoves();
}
function showMoves() {
  const said = moves.list.slice(0, 3).map(({ device, task, from, to }) => `task ${task + 1} of device ${device + 1} from ${from} to ${to}`);
  const more = moves.list.length - said.length;
  byId("moves").textContent = said.length ? `Moved last: ${said.join("; ")}${more ? `; and ${more} more` : ""}` : "No task has moved yet";
}
const moveOf = (device, task) => moves.list.find((move) => move.device === device && move.task === task);

/* ---------- The picture ---------- */

const picture = { bars: [], heads: [], marks: [], ground: null, key: "" };

/** One letter for each place, numbered where places begin alike. */
function marksOf(places) {
  const letters = places.map((name) => [...name][0]?.toUpperCase() ?? "?");
  return letters.map((letter, index) =>
    letters.filter((other) => other === letter).length === 1 ? letter
      : `${letter}${letters.slice(0, index + 1).filter((other) => other === letter).length}`);
}
const placeClass = (place) => `place-${place % PLACE_COLOURS}`;
const textureOf = (place) => (place % TEXTURES ? `url(#texture-${place % TEXTURES})` : "none");

function textures() {
  const pattern = (index, shape) => svg("pattern", { id: `texture-${index}`, width: 8, height: 8, patternUnits: "userSpaceOnUse" }, shape);
  return svg("defs", {},
    pattern(1, svg("path", { d: "M-2 10 10 -2M-2 2 2 -2M6 10 10 6" })),
    pattern(2, svg("circle", { cx: 4, cy: 4, r: 1.4 })),
    pattern(3, svg("path", { d: "M0 2H8M0 6H8" })));
}

function swatch(place) {
  const box = { x: 0, y: 0, width: 22, height: 16, rx: 3 };
  return svg("svg", { width: 22, height: 16, class: placeClass(place), "aria-hidden": "true" },
    svg("rect", { ...box, class: "swatch" }), svg("rect", { ...box, fill: textureOf(place) }),
    svg("text", { x: 11, y: 12, "text-anchor": "middle", class: "swatch-letter", text: picture.marks[place] }));
}

function buildPicture() {
  picture.marks = marksOf(scenario.places);
  picture.ground = svg("g");
  picture.key = "";
  picture.heads = range(scenario.devices).map(() => svg("text", { class: "device-name", x: 0 }));
  picture.bars = range(scenario.devices).map((device) => range(tasksOf(device)).map(buildBar));
  Object.assign(moves, { list: [], until: 0 });
  showMoves();
  byId("picture").replaceChildren(byId("picture-title"), textures(), picture.ground, ...picture.heads,
    ...picture.bars.flat().map(({ group }) => group));
  byId("legend").replaceChildren(...scenario.places.map((name, place) => el("li", {}, swatch(place), name)));
}

function buildBar() {
  const title = svg("title");
  const shape = svg("rect", { class: "shape", rx: 3 });
  const texture = svg("rect", { class: "texture", rx: 3 });
  const label = svg("text", { class: "label", x: 6 });
  return { group: svg("g", {}, title, shape, texture, label), title, shape, texture, label };
}

/** Where rows stand: all places, or for many devices those in use. */
function layout(placements) {
  const every = scenario.devices * scenario.places.length <= MANY_ROWS;
  const rowHeight = every ? 22 : 17;
  const rows = [];
  const heads = [];
  let y = 4;
  placements.forEach((row, device) => {
    heads.push((y += 21) - 7);
    scenario.places.forEach((name, place) => {
      if (!every && !row.includes(name)) return;
      rows.push({ device, place, y });
      y += rowHeight;
    });
    y += every ? 9 : 4;
  });
  return { rows, heads, rowHeight, height: y };
}

function drawPicture() {
  const { answer } = shown.chosen;
  if (answer.refused) return;
  const width = byId("picture-scroll").clientWidth;
  const left = width < 480 ? 30 : 96;
  const end = Math.max(...answer.devices.flatMap(({ tasks }) => tasks.filter(Boolean).map(({ end_s }) => end_s)), 1e-9);
  const marks = ticks(0, end, clamp(width / 110, 3, 8));
  const scale = (seconds) => left + ((width - left - 22) * seconds) / marks.at(-1);
  const plan = layout(answer.placements);
  drawGround({ width, left, marks, scale, plan });
  const yOf = new Map(plan.rows.map(({ device, place, y }) => [`${device} ${place}`, y]));
  answer.devices.forEach(({ energy_j, time_s, tasks }, device) => {
    picture.heads[device].setAttribute("y", plan.heads[device]);
    picture.heads[device].textContent = `Device ${device + 1} · ${figure(energy_j)} J · ${figure(time_s)} s`;
    tasks.forEach((task, index) => {
      if (!task) return;
      const place = scenario.places.indexOf(task.place);
      drawBar(device, index, task, { place, scale, y: yOf.get(`${device} ${place}`), height: plan.rowHeight - 3 });
    });
  });
  const far = answer.unreachable ?? 0;
  byId("unreachable").hidden = !far;
  byId("unreachable").textContent = `${plural(far, "task")} sent where no link leads.`;
  const ruled = answer.missed_deadlines !== undefined;
  byId("missed").hidden = !ruled;
  byId("missed").textContent = ruled ? `Missed deadlines: ${missedWords(answer)}. A task is done when its device is done at the task’s place.` : "";
}

function drawGround({ width, left, marks, scale, plan }) {
  const key = JSON.stringify([width, marks, plan]);
  if (key === picture.key) return;
  picture.key = key;
  const wide = left > 40;
  const grid = marks.map((mark) => svg("line", { class: "grid", x1: scale(mark), x2: scale(mark), y1: 0, y2: plan.height }));
  const rows = plan.rows.flatMap(({ place, y }) => [
    svg("rect", { class: "row-track", x: left, y, width: width - left - 22, height: plan.rowHeight - 3, rx: 3 }),
    svg("text", { y: y + plan.rowHeight / 2 + 2.5, class: placeClass(place) },
      svg("tspan", { class: "badge", x: 4, text: picture.marks[place] }),
      svg("tspan", { x: 24, text: wide ? shortened(scenario.places[place], 9) : "" })),
  ]);
  picture.ground.replaceChildren(...rows, ...grid);
  fill(byId("picture"), { width, height: plan.height, viewBox: `0 0 ${width} ${plan.height}` }, []);
  fill(byId("axis"), { width, height: 24, viewBox: `0 0 ${width} 24` }, []);
  byId("axis").replaceChildren(...marks.map((mark) => svg("text", { x: scale(mark), y: 15, "text-anchor": "middle", text: `${short(mark)} s` })));
}
const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function drawBar(device, index, task, { place, scale, y, height }) {
  const { group, title, shape, texture, label } = picture.bars[device][index];
  const move = performance.now() < moves.until ? moveOf(device, index) : null;
  const width = Math.max(1, scale(task.end_s) - scale(task.start_s));
  group.setAttribute("class", `bar ${placeClass(place)}${move ? " moved" : ""}${task.missed_deadline ? " late" : ""}`);
  group.style.transform = `translate(${scale(task.start_s)}px, ${y}px)`;
  fill(shape, { width, height }, []);
  fill(texture, { width, height, fill: textureOf(place) }, []);
  label.setAttribute("y", height / 2 + 4);
  label.textContent = barLabel(index, task, width);
  title.textContent = `Device ${device + 1}, task ${index + 1}: ${megabytes(task.mb)} at ${task.place}, ` +
    `${figure(task.start_s)} to ${figure(task.end_s)} s, ${figure(task.energy_j)} J${move ? `, moved from ${move.from}` : ""}` +
    (task.deadline_s === undefined ? "" : `, deadline ${figure(task.deadline_s)} s${task.missed_deadline ? ", missed" : ""}`);
}
/** As many words as the bar has room for. */
function barLabel(index, task, width) {
  const parts = [`Task ${index + 1}`, megabytes(task.mb), `${figure(task.energy_j)} J`];
  const choices = [parts.join(" · "), parts.slice(0, 2).join(" · "), parts[0], `${index + 1}`];
  return choices.find((text) => text.length * 6.1 + 12 <= width) ?? "";
}

/* ---------- The same as a table ---------- */

function buildTable() {
  const head = byId("table").tHead.rows[0];
  head.querySelector(".missed")?.remove();
  if (scenario.deadlines) head.append(el("th", { scope: "col", class: "missed", text: "Deadline, s" }));
  const rows = range(scenario.devices).flatMap((device) => range(tasksOf(device)).map((task) =>
    el("tr", {}, el("th", { scope: "row", text: device + 1 }), el("td", { text: task + 1 }),
      ...range(scenario.deadlines ? 7 : 6).map(() => el("td")))));
  byId("table").tBodies[0].replaceChildren(...rows);
}
const deadlineCell = ({ deadline_s, missed_deadline }) =>
  deadline_s === undefined ? "–" : `${figure(deadline_s)}${missed_deadline ? ", missed" : ""}`;

function showTable() {
  const rows = byId("table").tBodies[0].rows;
  let next = 0;
  shown.chosen.answer.devices.forEach(({ tasks }, device) => tasks.forEach((task, index) => {
    if (!task) return;
    const move = moveOf(device, index);
    const cells = [task.place, short(task.mb), figure(task.start_s), figure(task.end_s), figure(task.energy_j), move ? `from ${move.from}` : ""];
    if (scenario.deadlines) cells.push(deadlineCell(task));
    const row = rows[next++];
    cells.forEach((text, column) => (row.cells[column + 2].textContent = text));
  }));
}

/* ---------- Recordings ---------- */

class FileProblem extends Error {}

async function loadDrive() {
  loadRecording(null);
  const drive = scenario.drive && (await optional("drive", "/v1/drive"));
  if (drive) loadRecording({ ...drive, windows: drive.windows.filter(({ uplink_mbps }) => uplink_mbps.length >= scenario.devices) });
}

async function chooseFile(file) {
  const box = byId("file-problem");
  box.hidden = true;
  try {
    if (file.size > MAX_FILE_BYTES) throw new FileProblem(`The file has ${fixed(file.size / 1e6, 1)} MB; up to 5 MB are read.`);
    loadRecording({ name: file.name, ...parseRecording(await file.text(), scenario.devices) });
  } catch (error) {
    if (!(error instanceof FileProblem || error instanceof DOMException)) throw error;
    box.textContent = error instanceof FileProblem ? error.message : "The file could not be read.";
    box.hidden = false;
  }
}

/** Columns of a line; one may stand in quotes, with "" for a quote. */
function columnsOf(line) {
  return [...line.matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"\s*|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
}

function numberIn(text, what, line) {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) && Math.abs(text) <= 1e12) return Number(text);
  throw new FileProblem(`Line ${line}: “${shortened(text, 40)}” is no ${what}.`);
}

function readSamples(text) {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  const first = lines.findIndex((line) => line.trim());
  const header = columnsOf(lines[first] ?? "");
  const time = header.includes("time_s") ? "time_s" : "t_s";
  const places = [time, "device", "mbps"].map((name) => header.indexOf(name));
  if (places.includes(-1)) throw new FileProblem(`Line ${Math.max(first, 0) + 1}: the header must name the columns time_s, device and mbps.`);
  const samples = [];
  for (let index = first + 1; index < lines.length; index++) {
    if (!lines[index].trim()) continue;
    const columns = columnsOf(lines[index]);
    if (columns.length !== header.length) throw new FileProblem(`Line ${index + 1}: ${plural(columns.length, "column")} where the header has ${header.length}.`);
    const [time, device, rate] = places.map((place) => columns[place]);
    if (!device || device.length > 200) throw new FileProblem(`Line ${index + 1}: a device’s name has 1 to 200 characters.`);
    const sample = { t: numberIn(time, "time in seconds", index + 1), device, rate: numberIn(rate, "rate in Mbit/s", index + 1) };
    if (sample.rate < 0) throw new FileProblem(`Line ${index + 1}: a rate of ${rate} Mbit/s is below 0.`);
    samples.push(sample);
  }
  if (!samples.length) throw new FileProblem("The file has a header and no samples.");
  return samples;
}

/** Means over windows of WINDOW_S in which all of the first `wanted` devices have a sample. */
function parseRecording(text, wanted) {
  const samples = readSamples(text);
  const names = [...new Set(samples.map(({ device }) => device))].sort((a, b) => (a < b ? -1 : 1));
  if (names.length < wanted) throw new FileProblem(`The file has ${plural(names.length, "device")}, the scenario ${wanted}.`);
  const devices = names.slice(0, wanted);
  const order = new Map(devices.map((name, index) => [name, index]));
  const start = samples.reduce((least, { t }) => Math.min(least, t), Infinity);
  const sums = new Map();
  for (const { t, device, rate } of samples) {
    if (!order.has(device)) continue;
    // Times such as 0.3 are a little less than 3 × 0.1.
    const index = Math.floor((t - start) / WINDOW_S + 1e-9);
    if (!sums.has(index)) sums.set(index, devices.map(() => ({ total: 0, count: 0 })));
    const sum = sums.get(index)[order.get(device)];
    sum.total += rate;
    sum.count += 1;
  }
  const windows = [...sums].filter(([, row]) => row.every(({ count }) => count)).sort(([a], [b]) => a - b)
    .map(([index, row]) => ({ start_s: index * WINDOW_S, uplink_mbps: row.map(({ total, count }) => total / count) }));
  if (!windows.length) throw new FileProblem("There is no window of 60 s in which all devices have a sample.");
  if (windows.length > MAX_WINDOWS) throw new FileProblem(`The file has ${windows.length} windows of 60 s; up to ${MAX_WINDOWS} are replayed.`);
  return { window_s: WINDOW_S, devices, windows };
}

/* ---------- Replay ---------- */

const replay = { recording: null, position: 0, playing: false, last: 0 };
const lastIndex = () => replay.recording.windows.length - 1;
const indexNow = () => Math.min(Math.floor(replay.position), lastIndex());

function loadRecording(recording) {
  setPlaying(false);
  replay.recording = recording?.windows.length ? recording : null;
  replay.position = 0;
  state.window = null;
  windowCosts = [];
  byId("player").hidden = !replay.recording;
  byId("drive-name").textContent = replay.recording
    ? `${recording.name}: ${plural(recording.windows.length, "window")} of ${short(recording.window_s)} s` : "";
  if (!replay.recording) return;
  byId("scrub").max = lastIndex();
  showPosition();
  drawReplay();
}

function seek(position) {
  const before = state.window;
  replay.position = clamp(position, 0, lastIndex() + 0.999);
  const index = indexNow();
  if (index !== before) {
    state.uplinks = replay.recording.windows[index].uplink_mbps.slice(0, scenario.devices);
    state.window = index;
    syncUplinks();
    decide();
  }
  showPosition();
  moveCursors();
}

function showPosition() {
  const index = indexNow();
  const words = `window ${index + 1} of ${lastIndex() + 1}, ${clockText(replay.recording.windows[index].start_s)}`;
  byId("scrub").value = index;
  byId("scrub").style.setProperty("--fill", `${lastIndex() ? (100 * index) / lastIndex() : 0}%`);
  byId("scrub").setAttribute("aria-valuetext", words);
  byId("clock").textContent = words;
}

function setPlaying(playing) {
  replay.playing = playing;
  byId("play").textContent = playing ? "Pause" : "Play";
  if (!playing) return announceSoon();
  replay.last = performance.now();
  if (replay.position >= lastIndex() + 0.99) replay.position = 0;
  seek(indexNow());
  requestAnimationFrame(tick);
}

function tick(now) {
  if (!replay.playing) return;
  const passed = (Math.max(0, now - replay.last) / 1000) * Number(byId("speed").value);
  replay.last = now;
  const next = replay.position + passed / replay.recording.window_s;
  const border = indexNow() + 1;
  // Every window gets its decisions: the clock waits at its end for them.
  const waits = next >= border && (!connection.open || ROLES.some((role) => lanes[role].busy));
  if (next >= border && border > lastIndex() && !waits) {
    seek(lastIndex() + 0.999);
    setPlaying(false);
    return;
  }
  seek(waits ? border - 0.001 : Math.min(next, border));
  requestAnimationFrame(tick);
}

function step() {
  setPlaying(false);
  seek(state.window === null ? indexNow() : Math.min(indexNow() + 1, lastIndex()));
}

/* ---------- Charts of the replay ---------- */

const charts = { uplinks: null, costs: null };
const PAD = { left: 44, right: 12, top: 10, bottom: 22 };

function timeTicks(start, end, most) {
  const steps = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600, 43200, 86400];
  const size = steps.find((seconds) => (end - start) / seconds <= most) ?? (end - start) / most;
  const first = Math.ceil(start / size);
  return range(Math.floor(end / size) - first + 1).map((index) => (first + index) * size);
}

/** Axes and a cursor; returns how to place points. */
function chartFrame(target, marks, toUnit) {
  const { windows, window_s } = replay.recording;
  const [start, end] = [windows[0].start_s, windows.at(-1).start_s + window_s];
  const [width, height] = [Math.max(target.clientWidth, 120), 170];
  const x = (seconds) => PAD.left + ((width - PAD.left - PAD.right) * (seconds - start)) / (end - start);
  const y = (value) => height - PAD.bottom - (height - PAD.top - PAD.bottom) * toUnit(value);
  target.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const cursor = svg("line", { class: "cursor", y1: PAD.top - 4, y2: height - PAD.bottom });
  target.replaceChildren(
    ...marks.flatMap((mark) => [
      svg("line", { class: "grid", x1: PAD.left, x2: width - PAD.right, y1: y(mark), y2: y(mark) }),
      svg("text", { x: PAD.left - 6, y: y(mark) + 4, "text-anchor": "end", text: short(mark) }),
    ]),
    ...timeTicks(start, end, Math.max(2, width / 80)).map((seconds) =>
      svg("text", { x: x(seconds), y: height - 5, "text-anchor": "middle", text: clockText(seconds) })));
  return { target, x, y, cursor };
}

/** A line through the middles of windows, broken where a value or a window is missing. */
function tracePath({ x, y }, valueOf) {
  const { windows, window_s } = replay.recording;
  let path = "";
  let previous = null;
  windows.forEach((window, index) => {
    const value = valueOf(window, index);
    if (value === undefined) return void (previous = null);
    const joined = previous !== null && window.start_s - previous < window_s * 1.5;
    const point = `${x(window.start_s + window_s / 2).toFixed(1)} ${y(value).toFixed(1)}`;
    path += joined ? `L${point}` : `M${point}h0.01`;
    previous = window.start_s;
  });
  return path;
}

const toldApart = () => scenario.devices <= TOLD_APART;
const deviceTrace = (device) =>
  toldApart() ? { class: `trace ${placeClass(device + 1)}`, "stroke-dasharray": DASHES[device] } : { class: "trace crowd" };
const sample = (attributes) => svg("svg", { width: 26, height: 10, "aria-hidden": "true" }, svg("path", { d: "M2 5H24", ...attributes }));

function drawUplinks() {
  const rates = replay.recording.windows.flatMap(({ uplink_mbps }) => uplink_mbps.slice(0, scenario.devices));
  const floor = 0.01;
  const [slowest, fastest] = extremes(rates).map((rate) => Math.log10(Math.max(floor, rate)));
  const low = Math.floor(slowest);
  const high = Math.max(low + 1, Math.ceil(fastest));
  const marks = range(high - low + 1).map((power) => 10 ** (low + power));
  charts.uplinks = chartFrame(byId("uplink-chart"), marks, (value) => (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low));
  byId("uplink-chart").append(...range(scenario.devices).map((device) =>
    svg("path", { ...deviceTrace(device), d: tracePath(charts.uplinks, ({ uplink_mbps }) => uplink_mbps[device]) })), charts.uplinks.cursor);
}

function showUplinkKey() {
  const { devices, windows } = replay.recording;
  const rates = windows[indexNow()].uplink_mbps.slice(0, scenario.devices);
  const items = toldApart()
    ? rates.map((rate, device) => el("li", {}, sample(deviceTrace(device)), `Device ${device + 1}, ${devices[device] ?? "unnamed"}: ${mbps(rate)}`))
    : [el("li", { text: `${plural(rates.length, "device")}, ${mbps(Math.min(...rates))} to ${mbps(Math.max(...rates))} at the cursor` })];
  byId("uplink-key").replaceChildren(...items);
}

function drawCosts() {
  const costs = windowCosts.flatMap((row) => Object.values(row));
  const [least, most] = costs.length ? extremes(costs) : [0, 1];
  const marks = costs.length ? ticks(least, most > least ? most : least + 1, 4) : [];
  const [low, high] = [marks[0] ?? 0, marks.at(-1) ?? 1];
  charts.costs = chartFrame(byId("cost-chart"), marks, (value) => (value - low) / (high - low));
  byId("cost-chart").append(...ROLES.toReversed().map((role) =>
    svg("path", { class: `trace ${role}`, d: tracePath(charts.costs, (_, index) => windowCosts[index]?.[role]) })), charts.costs.cursor);
  if (!costs.length) byId("cost-chart").append(svg("text", { x: PAD.left + 10, y: 80, text: "Fills as the replay plays" }));
  const now = windowCosts[indexNow()] ?? {};
  byId("cost-key").replaceChildren(...ROLES.map((role) =>
    el("li", {}, sample({ class: `trace ${role}` }), `${schemeOf(role)}${now[role] === undefined ? "" : `: ${figure(now[role])}`}`)));
}

let uplinksDrawn = {};
function drawReplay() {
  if (!replay.recording) return;
  const width = byId("uplink-chart").clientWidth;
  if (uplinksDrawn.recording !== replay.recording || uplinksDrawn.width !== width) {
    uplinksDrawn = { recording: replay.recording, width };
    drawUplinks();
  }
  showUplinkKey();
  drawCosts();
  moveCursors();
}

let replayDue = false;
/** Once for each frame: long recordings have long lines. */
function drawReplaySoon() {
  if (replayDue) return;
  replayDue = true;
  requestAnimationFrame(() => {
    replayDue = false;
    drawReplay();
  });
}

function moveCursors() {
  const { windows, window_s } = replay.recording;
  const index = indexNow();
  const part = calm.matches ? 0.5 : clamp(replay.position - index, 0, 1);
  for (const chart of [charts.uplinks, charts.costs]) {
    const x = chart.x(windows[index].start_s + part * window_s);
    fill(chart.cursor, { x1: x, x2: x }, []);
  }
}

/* ---------- Wiring ---------- */

const THEMES = ["auto", "light", "dark"];
function nextTheme() {
  const root = document.documentElement.dataset;
  const next = THEMES[(THEMES.indexOf(root.theme ?? "auto") + 1) % THEMES.length];
  root.theme = next;
  byId("theme").textContent = `Theme: ${next}`;
}

function useToken(event) {
  event.preventDefault();
  const text = byId("token").value.trim();
  byId("token").value = "";
  // Other characters cannot stand in a header.
  if (!/^[\x21-\x7e]+$/.test(text)) return setProblem("token", "A token has visible ASCII characters only.");
  token = text;
  setProblem("token", null);
  connect();
}

/** Also called while the page is hidden or goes away, when nothing has a width. */
function redraw() {
  if (!byId("picture-scroll").clientWidth) return;
  byId("picture").classList.remove("glides");
  if (shown.chosen) drawPicture();
  drawReplay();
}

const on = (id, event, listener) => byId(id).addEventListener(event, listener);
on("theme", "click", nextTheme);
on("token-form", "submit", useToken);
on("scheme", "change", ({ target }) => changed(() => (state.scheme = target.value)));
on("random", "click", () => changed(() => {
  state.sizes = randomSizes();
  syncControls();
}));
on("reset", "click", () => changed(() => {
  resetTasks();
  setEnvironment(scenario.own_environment);
  syncControls();
}));
on("adopt", "click", () => askToAdopt(byId("adopt-confirm").hidden));
on("adopt-no", "click", () => askToAdopt(false));
on("adopt-yes", "click", makeItTheServices);
on("adopt-confirm", "keydown", ({ key }) => key === "Escape" && askToAdopt(false));
on("file", "change", ({ target }) => target.files[0] && chooseFile(target.files[0]));
on("play", "click", () => setPlaying(!replay.playing));
on("step", "click", step);
on("scrub", "input", ({ target }) => seek(Number(target.value)));
const watcher = new ResizeObserver(redraw);
["picture-scroll", "uplink-chart"].forEach((id) => watcher.observe(byId(id)));
setInterval(heartbeat, HEARTBEAT_MS);
connect();
