//! Where the instances of the offloading problem come from: samplers, the standard set, recordings, files of tasks, and the
//! JSON and CSV in which other programs name workloads.
