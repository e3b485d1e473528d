//! Decisions: where each task of a workload runs.

/// A server's position in the scenario, from 0. The paper's ES and CS are servers 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub u8);

/// Where one task runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placement {
    /// On its own device.
    Local,
    /// On a server.
    Server(ServerId),
}

impl Placement {
    /// The position among the places of a scenario: 0 is the device itself, `j + 1` is server `j`.
    pub fn index(self) -> u8 {
        match self {
            Self::Local => 0,
            Self::Server(ServerId(server)) => server + 1,
        }
    }

    /// The placement at a position; the reverse of [`Placement::index`].
    pub fn from_index(index: u8) -> Self {
        match index {
            0 => Self::Local,
            server => Self::Server(ServerId(server - 1)),
        }
    }
}

/// **X**: the placements of all N × M tasks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decision {
    tasks: usize,
    places: Box<[u8]>,
}

impl Decision {
    /// A decision from place indices ([`Placement::index`]), device by device.
    ///
    /// # Panics
    /// If their number is not a multiple of `tasks`, the number of tasks per device.
    pub fn from_places(tasks: usize, places: impl Into<Box<[u8]>>) -> Self {
        let places = places.into();
        assert!(tasks > 0 && places.len().is_multiple_of(tasks), "{} places are no rows of {tasks}", places.len());
        Self { tasks, places }
    }

    /// The same placement for every task.
    pub fn uniform(devices: usize, tasks: usize, placement: Placement) -> Self {
        Self::from_places(tasks, vec![placement.index(); devices * tasks])
    }

    /// N, the number of devices.
    pub fn devices(&self) -> usize {
        self.places.len() / self.tasks
    }

    /// M, the number of tasks per device.
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// Where task `task` of device `device` runs.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn placement(&self, device: usize, task: usize) -> Placement {
        assert!(task < self.tasks, "task {task} of {}", self.tasks);
        Placement::from_index(self.places[device * self.tasks + task])
    }

    /// All place indices, device by device: entry `n * M + m` is task m of device n.
    pub fn places(&self) -> &[u8] {
        &self.places
    }

    /// One row of placements for each device.
    pub fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = Placement>> {
        self.places.chunks_exact(self.tasks).map(|row| row.iter().map(|&place| Placement::from_index(place)))
    }
}
