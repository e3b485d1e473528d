/* ---------- Dispatching ---------- */

const LANE = { height: 24, block: 15, gap: 2 };
/** The widths of names and blocks in pixels, and the longest name, where the page is wide and where it is not. */
const WIDE = { name: 186, blocks: 150, letters: 30 };
const NARROW = { name: 112, blocks: 68, letters: 17 };
const NARROW_PX = 600;
/** The mean of fewer tasks says little. */
const SETTLED = 50;
const MARKERS = ["round", "square", "cross"];

/** A name that fits: names of links say the same in fewer words. */
function laneName(name, { letters }) {
  const shorter = name.length > letters ? name.replace("uplink of device", "uplink of").replace(/^link of device (\d+) to /, "$1 → ") : name;
  return shorter.length > letters ? `${shorter.slice(0, letters - 1)}…` : shorter;
}

/** For each lane the tasks in it, in the order in which they join it, and the number of them over time. */
function lanesOf(run) {
  const lanes = run.lanes.map((lane) => ({ ...lane, tasks: [], joins: [], leaves: [] }));
  const put = (lane, task, joins, leaves) => {
    if (lane >= 0 && leaves > joins) lanes[lane].tasks.push({ task, joins, leaves });
  };
  run.arrived_s.forEach((arrived, task) => {
    put(run.link_lane[task], task, arrived, run.sent_s[task]);
    const machine = run.lanes[run.machine_lane[task]];
    // A latency passes after the queue; a server without one keeps the task until it is done.
    const leaves = run.done_s[task] - (machine?.waits ? run.latency_s[run.place[task]] : 0);
    put(run.machine_lane[task], task, run.sent_s[task], leaves);
  });
  for (const lane of lanes) {
    lane.tasks.sort((a, b) => a.joins - b.joins || a.task - b.task);
    lane.joins = lane.tasks.map(({ joins }) => joins);
    let latest = -Infinity;
    lane.latest = lane.tasks.map(({ leaves }) => (latest = Math.max(latest, leaves)));
    [lane.times, lane.counts] = countsOver(lane.tasks.map(({ joins, leaves }) => [joins, leaves]));
    lane.high = most(lane.counts);
  }
  return lanes;
}

/** The number of intervals that hold a time, from each time on at which it changes. */
function countsOver(intervals) {
  const changes = intervals.flatMap(([from, until]) => [[from, 1], [until, -1]]).sort((a, b) => a[0] - b[0]);
  const [times, counts] = [[], []];
  let count = 0;
  for (const [time, change] of changes) {
    count += change;
    if (times.length && times.at(-1) === time) counts[counts.length - 1] = count;
    else {
      times.push(time);
      counts.push(count);
    }
  }
  return [times, counts];
}

/** Sums over the tasks that count, in the order in which they are done. */
function sumsOf(run, numberOf) {
  const order = range(run.done_s.length).sort((a, b) => run.done_s[a] - run.done_s[b]);
  const before = run.done_before;
  const sums = { times: [], tasks: [before.tasks], cost: [before.cost], energy: [before.energy_j], response: [before.response_s], missed: [before.missed] };
  for (const task of order) {
    const counts = numberOf(task) >= run.warm_up ? 1 : 0;
    const add = (sum, value) => sum.push(sum.at(-1) + counts * value);
    sums.times.push(run.done_s[task]);
    add(sums.tasks, 1);
    add(sums.cost, run.cost[task]);
    add(sums.energy, run.energy_j[task]);
    add(sums.response, run.done_s[task] - run.arrived_s[task]);
    add(sums.missed, run.missed[task]);
  }
  return sums;
}

function dispatchReplay({ summary, run }) {
  const earlier = run.earlier.length;
  const shown = run.arrived_s.length - earlier;
  const arrivals = run.arrived_s.slice(earlier);
  const numberOf = (task) => (task < earlier ? run.earlier[task] : run.first + task - earlier);
  const lanes = lanesOf(run);
  const sums = sumsOf(run, numberOf);
  const atPlace = run.places.map((_, place) => countsOver(
    range(run.arrived_s.length).filter((task) => run.place[task] === place).map((task) => [run.arrived_s[task], run.done_s[task]])));
  const meanCost = sums.times.map((_, index) => (sums.tasks[index + 1] ? sums.cost[index + 1] / sums.tasks[index + 1] : 0));
  const firstMean = sums.tasks[0] ? sums.cost[0] / sums.tasks[0] : 0;
  const settled = meanCost.filter((_, index) => sums.tasks[index + 1] >= SETTLED);
  const costs = settled.length ? settled : [...meanCost, firstMean];
  const costMarks = ticks(most(costs), 4, costs.reduce((low, cost) => Math.min(low, cost), Infinity));
  const sizes = run.size_mb.slice(earlier);
  const letters = run.places.map((name) => [...name][0]?.toUpperCase() ?? "?");

  tiles([
    { id: "cost", title: "Cost so far", note: "" },
    { id: "energy", title: "Energy", unit: "J", note: "mean of a task" },
    { id: "time", title: "Response time", unit: "s", note: "mean of a task" },
    { id: "waiting", title: "Not done", note: "" },
  ]);
  byId("lanes-title").textContent = "Queues";
  byId("legend").replaceChildren(...run.places.map((name, place) => el("li", {}, swatch(place, letters[place]), name)));
  byId("legend").setAttribute("aria-label", "Places");
  const left = run.left_out_lanes.map(([group, count]) => `${whole(count)} more ${group}`).join(", ");
  byId("lanes-note").textContent =
    `Each block is a task with the number of its device, in the colour of the place it goes to; the framed one is served. Right of it, the number of tasks over time.${left ? ` Not shown: ${left} with fewer tasks.` : ""}`;
  const charts = {
    places: chartFigure("places-chart", "Tasks that are not done, by place", "Number of tasks at each place over time"),
    sizes: chartFigure("sizes-chart", "Tasks as they arrive: size in MB (logarithmic), and where they go", "Sizes of tasks over the time of their arrival, by place"),
    cost: chartFigure("cost-chart", "Mean cost of a task so far", "Mean cost of the tasks that are done, over time"),
  };
  const whatIsShown = shown < run.tasks_of_run
    ? `This page holds ${whole(shown)} of ${plural(run.tasks_of_run, "task")}, from number ${whole(run.first)} on; sums begin with the run.`
    : "";

  function showTiles(time) {
    const done = upper(sums.times, time);
    const tasks = sums.tasks[done];
    const mean = (sum) => (tasks ? figure(sum[done] / tasks) : "–");
    setText("cost", mean(sums.cost));
    setText("energy", mean(sums.energy));
    setText("time", mean(sums.response));
    const arrived = upper(run.arrived_s.slice(0, earlier), time) + upper(arrivals, time);
    setText("waiting", whole(arrived - done));
    const missed = sums.missed[done] ? `, ${whole(sums.missed[done])} missed their deadline` : "";
    setText("cost-note", tasks ? `${plural(tasks, "task")} done${missed}` : `the first ${whole(run.warm_up)} tasks do not count`);
    setText("waiting-note", `of ${plural(run.first + upper(arrivals, time), "task")} that came`);
  }

  function showDecision(time) {
    const at = upper(arrivals, time) - 1;
    if (at < 0) {
      setText("now", "No task has arrived yet.");
      tableRows([], []);
      setText("now-note", "");
      return;
    }
    const task = earlier + at;
    const place = run.place[task];
    setText("now", `Task ${whole(numberOf(task))}, ${short(run.size_mb[task])} MB, came to device ${run.device[task]} at ${clockText(arrivals[at])} and went to ${run.places[place]}.`);
    const changes = run.offers.some(({ mbps }) => mbps[at] >= 0);
    const rows = run.places.map((name, index) => {
      const offer = run.offers[index];
      const label = el("span", { class: "place" }, swatch(index, letters[index]), el("span", { text: name }));
      const cells = offer.cost[at] < 0
        ? [label, "–", "–", "–", ...(changes ? ["–"] : []), "cannot be used"]
        : [label, figure(offer.wait_s[at]), figure(offer.served_s[at]), figure(offer.energy_j[at]),
          ...(changes ? [offer.mbps[at] < 0 ? "" : short(offer.mbps[at])] : []), figure(offer.cost[at])];
      return { cells, chosen: index === place };
    });
    tableRows(["Place", "Waits, s", "Served, s", "Energy, J", ...(changes ? ["Link, Mbit/s"] : []), "Own cost"], rows);
    setText("table-caption", "What each place promised the task at the cursor");
    const response = figure(run.done_s[task] - run.arrived_s[task]);
    const missed = run.missed[task] ? ", after its deadline" : "";
    const done = run.done_s[task] <= time ? "It was done" : "It will be done";
    setText("now-note", `${done} at ${clockText(run.done_s[task])}, ${response} s after it came${missed}: ${figure(run.energy_j[task])} J, cost ${figure(run.cost[task])}. Places promise what is expected; bold is what the scheme chose.`);
  }

  function showLanes(view, time) {
    const target = byId("lanes");
    const groups = lanes.filter((lane, index) => index === 0 || lane.group !== lanes[index - 1].group).length;
    const room = target.clientWidth < NARROW_PX ? NARROW : WIDE;
    const pad = { left: room.name + room.blocks + 36, right: 10, top: 4, bottom: 20 };
    const height = lanes.length * LANE.height + groups * 20 + pad.top + pad.bottom;
    const place = frame(target, view, { high: 1, height, pad });
    target.style.height = `${height}px`;
    const parts = [];
    let y = pad.top;
    lanes.forEach((lane, index) => {
      if (index === 0 || lane.group !== lanes[index - 1].group) {
        parts.push(svg("text", { class: "group", x: 0, y: y + 14, text: lane.group }));
        y += 20;
      }
      const present = [];
      for (let at = upper(lane.latest, time); at < upper(lane.joins, time); at += 1) {
        if (lane.tasks[at].leaves > time) present.push(lane.tasks[at]);
      }
      const fit = Math.floor(room.blocks / (LANE.block + LANE.gap));
      const blocks = present.slice(0, present.length > fit ? fit - 1 : fit).map(({ task }, position) => {
        const x = room.name + position * (LANE.block + LANE.gap);
        const served = lane.waits && position === 0 ? " served" : "";
        return svg("g", { class: placeClass(run.place[task]) },
          svg("rect", { class: `block${served}`, x, y: y + 3, width: LANE.block, height: LANE.block, rx: 3 },
            svg("title", { text: `task ${whole(numberOf(task))} of device ${run.device[task]}, ${short(run.size_mb[task])} MB` })),
          svg("text", { class: `block-number${run.device[task] < 100 ? "" : " long"}`, x: x + LANE.block / 2, y: y + 14, "text-anchor": "middle", text: run.device[task] < 1000 ? run.device[task] : "…" }));
      });
      if (present.length > fit) {
        blocks.push(svg("text", { x: room.name + (fit - 1) * (LANE.block + LANE.gap), y: y + 15, text: "…" }));
      }
      const lanePlace = { ...place, y: (count) => y + LANE.height - 4 - (LANE.height - 7) * (count / Math.max(1, lane.high)) };
      parts.push(
        svg("text", { class: "name", x: 0, y: y + 15, text: laneName(lane.name, room) }, svg("title", { text: lane.name })),
        ...blocks,
        svg("text", { class: "count", x: pad.left - 12, y: y + 15, "text-anchor": "end", text: whole(present.length) }),
        svg("rect", { class: "track", x: pad.left, y: y + 3, width: place.width - pad.left - pad.right, height: LANE.height - 7 }),
        svg("path", { class: "area full", d: stepArea(lanePlace, lane.times, lane.counts) }));
      y += LANE.height;
    });
    target.replaceChildren(...parts, ...timeAxis(place), ...cursor({ ...place, bottom: height - pad.bottom }, time));
  }

  function showCharts(view, time) {
    const counts = most(atPlace.map(([, values]) => most(values)));
    const marks = ticks(counts, 4);
    const places = frame(charts.places, view, { high: marks.at(-1) });
    charts.places.replaceChildren(...valueAxis(places, marks), ...timeAxis(places),
      ...atPlace.map(([times, values], index) => svg("path", { class: `trace ${placeClass(index)}`, d: stepLine(places, times, values) })),
      ...cursor(places, time));

    const logs = sizes.map(Math.log10);
    const low = Math.floor(logs.reduce((least, value) => Math.min(least, value), Infinity));
    const high = Math.max(low + 1, Math.ceil(logs.reduce((largest, value) => Math.max(largest, value), -Infinity)));
    const at = frame(charts.sizes, view, { low, high });
    const paths = run.places.map(() => []);
    for (let index = upper(arrivals, view.left); index < arrivals.length && arrivals[index] <= view.right; index += 1) {
      const [x, y] = [at.x(arrivals[index]), at.y(logs[index])].map((pixels) => Number(pixels.toFixed(1)));
      const place = run.place[earlier + index];
      paths[place].push(MARKERS[place % MARKERS.length] === "cross" ? `M${x - 3} ${y - 3}l6 6m0 -6l-6 6` : `M${x} ${y}h0.01`);
    }
    charts.sizes.replaceChildren(...valueAxis(at, range(high - low + 1).map((power) => low + power), (power) => short(10 ** power)), ...timeAxis(at),
      ...paths.map((path, place) => {
        const marker = MARKERS[place % MARKERS.length];
        return svg("path", { class: `points ${marker} ${placeClass(place)}`, "stroke-linecap": marker === "square" ? "square" : "round", d: path.join("") });
      }), ...cursor(at, time));

    const cost = frame(charts.cost, view, { low: costMarks[0], high: costMarks.at(-1) });
    charts.cost.replaceChildren(...valueAxis(cost, costMarks), ...timeAxis(cost),
      svg("path", { class: "trace", d: stepLine(cost, sums.times, meanCost, firstMean) }), ...cursor(cost, time));
  }

  const gap = (run.until_s - run.from_s) / Math.max(1, shown);
  return {
    from: run.from_s,
    until: run.until_s,
    event: "task",
    eventGap: gap,
    words: `${summary.scenario}: ${plural(run.tasks_of_run, "task")} dispatched by ${summary.scheme}, seed ${summary.seed}; α = ${short(run.alpha)}`,
    partNote: whatIsShown,
    overview: { ...run.overview, title: "Tasks that are not done, over the whole run" },
    next: (time) => arrivals[upper(arrivals, time)] ?? run.until_s,
    previous: (time) => arrivals[upper(arrivals, time) - (time > (arrivals[upper(arrivals, time) - 1] ?? run.from_s) ? 1 : 2)] ?? run.from_s,
    whole: [
      ["Tasks after the warm-up", whole(summary.tasks)], ["Cost", figure(summary.cost)], ["Energy of a task", `${figure(summary.mean_energy_j)} J`],
      ["Response time", `${figure(summary.mean_delay_s)} s`], ["Mean power", `${figure(summary.mean_power_w)} W`], ["Missed deadlines", whole(summary.missed)],
      ...Object.entries(summary.place_shares ?? {}).map(([place, share]) => [`Tasks at ${place}`, `${fixed(100 * share, 1)} %`]),
    ],
    show(view, time) {
      showTiles(time);
      showDecision(time);
      showLanes(view, time);
      showCharts(view, time);
    },
  };
}

