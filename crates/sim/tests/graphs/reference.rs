//! Costs computed plainly from the definitions: every activity is listed with its beginning and end, and everything else is
//! read off the list. Slow, and without any state that is carried along.

use sim::graph::{Downlinks, GraphModel, Timing, Transfer};

/// What is busy.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Machine(usize),
    /// The uplink or downlink of the servers without a link of their own (`None`), or of one server.
    Uplink(Option<usize>),
    Downlink(Option<usize>),
}

#[derive(Debug, Clone, Copy)]
struct Busy {
    part: Part,
    from: f64,
    to: f64,
}

/// Energy, time and money.
pub(crate) struct Totals {
    pub(crate) energy_j: f64,
    pub(crate) time_s: f64,
    pub(crate) price: f64,
}

/// Runs things at the earliest time at which a part is free after all that it did before.
struct Clock<'m> {
    model: &'m GraphModel,
    list: Vec<Busy>,
    energy_j: f64,
    price: f64,
}

impl Clock<'_> {
    fn occupy(&mut self, part: Part, ready: f64, seconds: f64, queues: bool) -> f64 {
        let is_serial = self.model.rules().timing == Timing::Serial;
        let waits_for = |busy: &&Busy| is_serial || queues && busy.part == part;
        let from = self.list.iter().filter(waits_for).map(|busy| busy.to).fold(ready, f64::max);
        self.list.push(Busy { part, from, to: from + seconds });
        from + seconds
    }

    fn link(&self, place: usize) -> Option<usize> {
        self.model.system().servers[place - 1].link.is_own.then_some(place)
    }

    fn run(&mut self, task: usize, place: usize, ready: f64) -> f64 {
        let work = &self.model.application().tasks()[task];
        let system = self.model.system();
        let machine = if place == 0 { system.device } else { system.servers[place - 1].machine };
        let seconds = (work.instructions / machine.instructions_per_s)
            .max(machine.memory_bytes_per_s.map_or(0.0, |rate| work.weights_bytes / rate));
        self.energy_j += match place {
            0 => system.compute_w * seconds,
            _ => system.servers[place - 1].energy_per_instruction_j * work.instructions,
        };
        self.occupy(Part::Machine(place), ready, seconds, true)
    }

    fn send(&mut self, bytes: f64, place: usize, ready: f64) -> f64 {
        let link = self.model.system().servers[place - 1].link;
        let seconds = bytes / link.up_bytes_per_s;
        self.energy_j += link.send_w * seconds;
        self.price += link.price_per_byte * bytes;
        self.occupy(Part::Uplink(self.link(place)), ready, seconds, true)
    }

    fn receive(&mut self, bytes: f64, place: usize, ready: f64) -> f64 {
        let link = self.model.system().servers[place - 1].link;
        let seconds = bytes / link.down_bytes_per_s;
        self.energy_j += link.receive_w * seconds;
        self.price += link.price_per_byte * bytes;
        let queues = self.model.rules().downlinks == Downlinks::Queued;
        self.occupy(Part::Downlink(self.link(place)), ready, seconds, queues)
    }
}

/// When things have happened to a task.
#[derive(Clone, Copy, Default)]
struct Times {
    sent: f64,
    done: f64,
    here: f64,
}

pub(crate) fn evaluate(model: &GraphModel, places: &[u8]) -> Totals {
    let mut clock = Clock { model, list: Vec::new(), energy_j: 0.0, price: 0.0 };
    let mut times = vec![Times::default(); model.tasks()];
    let application = model.application();
    let mut last = 0.0_f64;
    for &task in model.order() {
        let task = task as usize;
        let place = places[task] as usize;
        let work = &application.tasks()[task];
        let mut before: Vec<_> = application.edges().iter().filter(|edge| edge.to as usize == task).collect();
        before.sort_by_key(|edge| model.order().iter().position(|other| *other == edge.from));
        times[task] = match model.rules().transfer {
            Transfer::Task => {
                let is_there = |from: usize| places[from] as usize == place;
                let latest = |time: &dyn Fn(usize) -> f64| {
                    before.iter().map(|edge| time(edge.from as usize)).fold(0.0, f64::max)
                };
                if place == 0 {
                    let done = clock.run(task, 0, latest(&|from| times[from].here));
                    Times { sent: done, done, here: done }
                } else {
                    let ready = latest(&|from| if is_there(from) { times[from].sent } else { times[from].here });
                    let sent = clock.send(work.send_bytes, place, ready);
                    let ready = latest(&|from| if is_there(from) { times[from].done } else { 0.0 });
                    let done = clock.run(task, place, ready.max(sent));
                    let here = clock.receive(work.result_bytes.unwrap_or(work.send_bytes), place, done);
                    Times { sent, done, here }
                }
            }
            Transfer::Edge => {
                let mut ready = 0.0_f64;
                for edge in before {
                    let from = places[edge.from as usize] as usize;
                    let mut at = times[edge.from as usize].done;
                    if from != place && from > 0 {
                        at = clock.receive(edge.bytes, from, at);
                    }
                    if from != place && place > 0 {
                        at = clock.send(edge.bytes, place, at);
                    }
                    ready = ready.max(at);
                }
                let done = clock.run(task, place, ready);
                Times { sent: done, done, here: done }
            }
        };
        last = last.max(times[task].here);
    }
    // Between two neighbouring ends of activities the device either does something or does not.
    let is_device = |busy: &&Busy| !matches!(busy.part, Part::Machine(1..));
    let mut ends: Vec<f64> = clock.list.iter().flat_map(|busy| [busy.from, busy.to]).chain([0.0, last]).collect();
    ends.sort_by(f64::total_cmp);
    let idle_s: f64 = ends
        .windows(2)
        .filter(|pair| {
            let covers = |busy: &Busy| busy.from <= pair[0] && busy.to >= pair[1];
            pair[1] > pair[0] && !clock.list.iter().filter(is_device).any(covers)
        })
        .map(|pair| pair[1] - pair[0])
        .sum();
    Totals { energy_j: clock.energy_j + model.system().idle_w * idle_s, time_s: last, price: clock.price }
}
