//! The description of networks for any fleet in exported files.

use serde_json::json;

use super::features::{DESCRIPTION, INPUTS};
use super::net::Shape;
use super::networks::FleetNetworks;
use super::policy::{FREE_PASSES, PASSES};
use crate::export::Description;

const ORIENTATION: &str = "All products are x W. Weights are stored as [inputs, outputs], row by row: the row of an input holds its weight to \
     each output.";
const TENSORS: &str = "input [30, width], bias [1, width], score [width, 1], direct [30, 1], and from the second round on known.own, \
     known.by_device, known.by_place and known.by_task, each [width, width]. Their names begin with rounds.r. for round r = 0, 1, ..., \
     behind nets.k. for network k where a file holds all networks.";
const ROUND: &str = "A task of a device at a place has the inputs x and the hidden units h of the round before. The new hidden units are \
     relu(x input + bias + h known.own + (mean of h over the device's tasks at the place) known.by_device + (mean of h over all tasks at the \
     place) known.by_place + (mean of h over the places of the task) known.by_task); the first round has no terms with h. The score of the \
     task at the place is hidden score + x direct.";
const SHARES: &str = "The inputs of a round are computed from shares of tasks at places. Those of the first round are 1 at the places of a \
     given decision and 0 elsewhere; without a decision they are in proportion to 1 / (cost alone) of the places, with cost alone as for input \
     2 before its softsign. Those of the next rounds are the softmax over places of 3 * score. Places that a device cannot reach have share 0 \
     there.";

impl FleetNetworks {
    /// The description of all networks, or of the network `index` alone.
    pub(super) fn description(&self, index: Option<usize>) -> Description {
        let Shape { width, rounds } = self.ensemble.shape();
        let mut description = Description::new(Self::KIND.name, self.ensemble.nets.len(), index);
        description.json("layers", &json!({ "inputs": INPUTS, "width": width, "rounds": rounds }));
        description.text("activation", "relu");
        description.text("orientation", ORIENTATION);
        description.text("tensors", TENSORS);
        description.text("round", ROUND);
        description.text("shares", SHARES);
        description.text("inputs", DESCRIPTION);
        description.text("places", "place 0 is the device itself; places 1, 2, ... are the servers, in any order");
        let decide = format!(
            "After the last round each task is placed where its score is highest, at the first of equal places that its device reaches. This \
             is a pass. Each network takes {PASSES} passes, the first from the decision of greedy (largest task first), each next one from \
             the proposal of the one before; without a search or greedy it takes {FREE_PASSES} passes, the first from no decision. The \
             answer is the cheapest proposal, greedy's decision included; where the cost is a sum over devices, each device takes the part \
             that is cheapest for it."
        );
        description.text("decide", decide);
        description.json("trained_on", &json!(self.fleets));
        description
    }
}
