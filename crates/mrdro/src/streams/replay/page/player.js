/* ---------- The player ---------- */

const SPEEDS = [1, 5, 20, 60, 300, 1200, 3600];
const SPANS = [60, 300, 900, 3600, 4 * 3600, 86400];
const EVENTS_PER_S = 3;
const EVENTS_SHOWN = 80;
/** Left of the cursor lies this share of what is shown. */
const PAST = 0.75;
const FRAME_MS = 30;

const data = JSON.parse(byId("data").textContent);
const replay = data.run.kind === "dispatch" ? dispatchReplay(data) : slotReplay(data);
const player = { time: replay.from, playing: false, last: 0, drawn: 0 };

function view() {
  const all = replay.until - replay.from;
  const span = Math.min(Number(byId("span").value) || all, all);
  const left = clamp(player.time - PAST * span, replay.from, replay.until - span);
  return { left, right: left + span, end: replay.until };
}

function draw() {
  player.drawn = performance.now();
  const words = `${clockText(player.time)} of ${clockText(replay.until)}`;
  setText("clock", words);
  const scrub = byId("scrub");
  scrub.value = player.time;
  scrub.setAttribute("aria-valuetext", words);
  scrub.style.setProperty("--fill", `${(100 * (player.time - replay.from)) / (replay.until - replay.from || 1)}%`);
  replay.show(view(), player.time);
  drawOverview();
  document.documentElement.dataset.time = player.time;
}

function drawOverview() {
  const { from_s, step_s, values } = replay.overview;
  const target = byId("overview");
  const end = from_s + step_s * values.length;
  const place = frame(target, { left: from_s, right: end }, { high: most(values) || 1, height: 64, pad: { ...PAD, top: 4, bottom: 16 } });
  const part = { x: place.x(replay.from), width: Math.max(1, place.x(replay.until) - place.x(replay.from)) };
  const times = values.map((_, index) => from_s + index * step_s);
  target.replaceChildren(
    svg("rect", { class: "part", y: 0, height: place.bottom, ...part }),
    svg("path", { class: "area full", d: stepArea(place, times, values) }),
    svg("text", { x: place.pad.left - 6, y: 14, "text-anchor": "end", text: short(most(values)) }),
    ...timeAxis(place),
    svg("line", { class: "cursor", x1: place.x(player.time), x2: place.x(player.time), y1: 0, y2: place.bottom }));
}

function seek(time) {
  player.time = clamp(time, replay.from, replay.until);
  draw();
}

function setPlaying(playing) {
  player.playing = playing;
  byId("play").textContent = playing ? "Pause" : "Play";
  if (!playing) {
    setText("announcement", `${byId("clock").textContent}. ${byId("now").textContent}`);
    return;
  }
  if (player.time >= replay.until) player.time = replay.from;
  player.last = performance.now();
  requestAnimationFrame(tick);
}

function tick(now) {
  if (!player.playing) return;
  const passed = (Math.max(0, now - player.last) / 1000) * Number(byId("speed").value);
  player.last = now;
  player.time = Math.min(player.time + passed, replay.until);
  if (now - player.drawn >= FRAME_MS || player.time >= replay.until) draw();
  if (player.time >= replay.until) setPlaying(false);
  else requestAnimationFrame(tick);
}

function move(to) {
  setPlaying(false);
  seek(to);
  setText("announcement", byId("now").textContent);
}
const actions = {
  " ": () => setPlaying(!player.playing),
  ArrowRight: () => move(replay.next(player.time)),
  ArrowLeft: () => move(replay.previous(player.time)),
  Home: () => move(replay.from),
  End: () => move(replay.until),
};

/** Fields and buttons keep the keys that they use themselves. */
function onKey(event) {
  const tag = event.target.tagName;
  if (event.ctrlKey || event.metaKey || event.altKey || tag === "SELECT" || tag === "INPUT") return;
  if ((tag === "BUTTON" || tag === "A") && event.key === " ") return;
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

const THEMES = ["auto", "light", "dark"];
function nextTheme() {
  const root = document.documentElement.dataset;
  const next = THEMES[(THEMES.indexOf(root.theme ?? "auto") + 1) % THEMES.length];
  root.theme = next;
  byId("theme").textContent = `Theme: ${next}`;
}

function nearest(values, wanted) {
  return values.reduce((best, value) => (Math.abs(Math.log(value / wanted)) < Math.abs(Math.log(best / wanted)) ? value : best));
}
function options(id, values, words, chosen) {
  byId(id).replaceChildren(...values.map((value) => el("option", { value, text: words(value), selected: value === chosen })));
}

function begin() {
  const all = replay.until - replay.from;
  document.title = `MR-DRO – ${data.summary.scenario}, ${data.summary.scheme}`;
  byId("about").textContent = replay.words;
  byId("overview-title").textContent = replay.overview.title;
  byId("overview").setAttribute("aria-label", replay.overview.title);
  byId("part-note").textContent = replay.partNote;
  byId("step-word").textContent = `the ${replay.event} before and the next one`;
  options("speed", SPEEDS, (speed) => `${whole(speed)}×`, nearest(SPEEDS, EVENTS_PER_S * replay.eventGap || 1));
  const spans = SPANS.filter((span) => span < all);
  const span = spans.length ? nearest(spans, EVENTS_SHOWN * replay.eventGap) : 0;
  options("span", [...spans, 0], (seconds) => (seconds ? spanText(seconds) : "everything"), span);
  byId("whole").replaceChildren(...replay.whole.flatMap(([name, value]) => [el("dt", { text: name }), el("dd", { text: value })]));
  fill(byId("scrub"), { min: replay.from, max: replay.until }, []);
  const on = (id, event, listener) => byId(id).addEventListener(event, listener);
  on("theme", "click", nextTheme);
  on("play", "click", actions[" "]);
  on("step", "click", actions.ArrowRight);
  on("back", "click", actions.ArrowLeft);
  on("scrub", "input", ({ target }) => seek(Number(target.value)));
  on("span", "change", draw);
  addEventListener("keydown", onKey);
  document.querySelectorAll("svg.chart, #lanes").forEach((chart) =>
    chart.addEventListener("click", ({ clientX }) => chart.timeAt && move(chart.timeAt(clientX))));
  new ResizeObserver(draw).observe(byId("main"));
  seek(replay.next(replay.from));
  document.documentElement.dataset.ready = "true";
}

begin();
