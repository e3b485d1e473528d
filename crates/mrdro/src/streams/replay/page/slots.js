/* ---------- Slots ---------- */

function slotReplay({ summary, run }) {
  const count = run.backlog_mb.length;
  const start = (slot) => (run.first + slot) * run.slot_s;
  const [from, until] = [start(0), start(count)];
  const starts = range(count).map(start);
  const slotAt = (time) => clamp(upper(starts, time) - 1, 0, count - 1);
  const before = run.before;
  const sums = { energy: [before.energy_j], arrived: [before.arrived_mb], left: [before.left_mb], waiting: [before.waiting_mb_s] };
  for (const slot of range(count)) {
    const add = (sum, value) => sum.push(sum.at(-1) + value);
    add(sums.energy, run.energy_j[slot]);
    add(sums.arrived, run.arrived_mb[slot]);
    add(sums.left, run.left_mb[slot]);
    add(sums.waiting, run.slot_s * (run.backlog_mb[slot] - 0.5 * run.left_mb[slot]));
  }
  const used = run.links.map(({ sent_mb }) => sent_mb.map((sent) => (8 * sent) / run.slot_s));
  const rates = run.links.map(({ mbps }) => ticks(most(mbps), 4));
  const backlogMarks = ticks(most(run.backlog_mb), 4);
  const energyMarks = ticks(sums.energy.at(-1), 4);
  const fallback = run.fallback_mb.some((sent) => sent > 0);

  tiles([
    { id: "energy", title: "Energy so far", unit: "J", note: "" },
    { id: "time", title: "Delay so far", unit: "s", note: "mean of a byte" },
    { id: "waiting", title: "Waiting", unit: "MB", note: "" },
    { id: "sent", title: "Sent", unit: "MB", note: "" },
  ]);
  byId("lanes-card").hidden = true;
  const charts = {
    links: run.links.map(({ name }, link) => chartFigure(`link-${link}`, `${name}, Mbit/s: its rate, and in full colour what is sent`,
      `Rate of ${name} over time, and what is sent`)),
    backlog: chartFigure("backlog-chart", "Waiting, MB", "What waits over time"),
    energy: chartFigure("energy-chart", "Energy so far, J", "Energy since the run began, over time"),
  };
  const hidden = run.links_of_run - run.links.length;

  function showTiles(time) {
    const slot = slotAt(time);
    const done = slot + 1;
    setText("energy", figure(sums.energy[done]));
    setText("time", sums.arrived[done] ? figure(sums.waiting[done] / sums.arrived[done]) : "–");
    setText("waiting", figure(Math.max(0, run.backlog_mb[slot] - run.left_mb[slot])));
    setText("sent", figure(sums.left[done]));
    setText("energy-note", `${figure(sums.energy[done] / start(done))} W on average`);
    setText("waiting-note", "at the end of the slot");
    setText("sent-note", `of ${figure(sums.arrived[done])} MB that arrived`);
  }

  function showSlot(time) {
    const slot = slotAt(time);
    const [backlog, left] = [run.backlog_mb[slot], run.left_mb[slot]];
    const arrived = run.arrived_mb[slot] > 0 ? `; ${figure(run.arrived_mb[slot])} MB just came` : "";
    const answer = backlog <= 0 ? "nothing waits" : left > 0 ? `${figure(left)} MB of ${figure(backlog)} MB are sent` : `${figure(backlog)} MB wait`;
    setText("now", `Slot ${whole(run.first + slot)}, ${clockText(starts[slot])} to ${clockText(start(slot + 1))}: ${answer}${arrived}.`);
    const rows = run.links.map(({ name, mbps, sent_mb }) => {
      const sent = sent_mb[slot];
      const could = (mbps[slot] * run.slot_s) / 8;
      const word = sent > 0 ? "sends" : backlog <= 0 ? "has nothing" : mbps[slot] > 0 ? "waits" : "is away";
      return { cells: [name, word, short(mbps[slot]), figure(could), figure(sent)], chosen: sent > 0 };
    });
    if (fallback) rows.push({ cells: ["fallback", run.fallback_mb[slot] > 0 ? "sends" : "has nothing", "", "", figure(run.fallback_mb[slot])], chosen: run.fallback_mb[slot] > 0 });
    tableRows(["Link", "It", "Mbit/s", "Could send, MB", "Sends, MB"], rows);
    setText("table-caption", "The links in the slot at the cursor");
    setText("now-note", `The slot takes ${figure(run.energy_j[slot])} J.${hidden > 0 ? ` ${plural(hidden, "more link")} of the scenario are not shown.` : ""}`);
  }

  function showCharts(view, time) {
    charts.links.forEach((chart, link) => {
      const place = frame(chart, view, { high: rates[link].at(-1) });
      chart.replaceChildren(...valueAxis(place, rates[link]), ...timeAxis(place),
        svg("path", { class: `area full ${placeClass(link + 1)}`, d: stepArea(place, starts, used[link]) }),
        svg("path", { class: `trace thin ${placeClass(link + 1)}`, d: stepLine(place, starts, run.links[link].mbps) }), ...cursor(place, time));
    });
    const backlog = frame(charts.backlog, view, { high: backlogMarks.at(-1) });
    charts.backlog.replaceChildren(...valueAxis(backlog, backlogMarks), ...timeAxis(backlog),
      svg("path", { class: "area", d: stepArea(backlog, starts, run.backlog_mb) }),
      svg("path", { class: "trace", d: stepLine(backlog, starts, run.backlog_mb) }), ...cursor(backlog, time));
    const energy = frame(charts.energy, view, { high: energyMarks.at(-1) });
    charts.energy.replaceChildren(...valueAxis(energy, energyMarks), ...timeAxis(energy),
      svg("path", { class: "trace", d: stepLine(energy, starts, sums.energy.slice(1), sums.energy[0]) }), ...cursor(energy, time));
  }

  return {
    from,
    until,
    event: "slot",
    eventGap: run.slot_s,
    words: `${summary.scenario}: ${plural(run.slots_of_run, "slot")} of ${short(run.slot_s)} s, ${summary.scheme} decides when data is sent, seed ${summary.seed}`,
    partNote: count < run.slots_of_run
      ? `This page holds ${whole(count)} of ${plural(run.slots_of_run, "slot")}, from number ${whole(run.first)} on; sums begin with the run.` : "",
    overview: { ...run.overview, title: "The most that waits, over the whole run" },
    next: (time) => starts[slotAt(time) + 1] ?? until,
    previous: (time) => starts[slotAt(time) - (time > starts[slotAt(time)] ? 0 : 1)] ?? from,
    whole: [
      ["Files", whole(summary.tasks)], ["Cost", figure(summary.cost)], ["Energy of a file", `${figure(summary.mean_energy_j)} J`],
      ["Delay of a byte", `${figure(summary.mean_delay_s)} s`], ["Mean power", `${figure(summary.mean_power_w)} W`], ["Missed deadlines", whole(summary.missed)],
    ],
    show(view, time) {
      showTiles(time);
      showSlot(time);
      showCharts(view, time);
    },
  };
}

