//! Steps, inference and decisions must not allocate once their buffers have grown.
#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait around the system's own")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::{Random, State, kernels};
use data::{Part, SizeSampler, Workloads};
use model::kernels::{Adam, Head, Inference, Samples, Shape, Trainer};
use model::{Codec, DeviceChoice, Ensemble, NetworkShape, Policy, Selection};
use sim::scheme::{Exact, Scheme};
use sim::{Scenario, random};

struct Counting;

thread_local! {
    /// Allocations of this thread alone: the test harness allocates, too.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: hands every call on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending has no counter any more.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations `work` makes after a first call.
fn allocations_of(mut work: impl FnMut()) -> usize {
    work();
    let before = ALLOCATIONS.get();
    (0..20).for_each(|_| work());
    ALLOCATIONS.get() - before
}

/// Threshold and explored candidates, one workload and many.
#[test]
fn decisions_do_not_allocate_after_the_first() {
    let scenario = Scenario::load("paper").expect("a preset");
    let model = scenario.check().expect("valid");
    let sampler = SizeSampler::new(&scenario).expect("no file");
    let codec = Codec::new(Codec::default_code(&model), &model, sampler.moments().into()).expect("three places");
    let shape = NetworkShape { inputs: 9, hidden: vec![120, 80], outputs: 18 };
    let device = DeviceChoice::Flex.open().expect("built in by default").device;
    let ensemble = Ensemble::random(&shape, 8, 1, &device);
    let mut source = Workloads::new(&model, sampler, Part::Training, random::stream(1, "test"));
    let mut sizes = vec![0.0; 300 * 9];
    source.fill(&mut sizes);
    let (mut places, mut evaluations) = (vec![0; 300 * 9], vec![0; 300]);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread pool");
    for selection in [Selection::PAPER, Selection::explored(6)] {
        let mut policy = Policy::new("test", &ensemble, codec, selection, &device);
        let singly = allocations_of(|| {
            for (sizes, places) in sizes.chunks_exact(9).zip(places.chunks_exact_mut(9)) {
                policy.decide_into(&model, sizes, places).expect("fits");
            }
        });
        assert_eq!(singly, 0, "{selection:?}, one by one");
        let at_once = pool.install(|| {
            allocations_of(|| {
                policy.decide_batch(&model, &sizes, &mut places, &mut evaluations).expect("fits");
            })
        });
        assert_eq!(at_once, 0, "{selection:?}, at once");
    }
    let mut exact = Exact::new();
    let optimal = allocations_of(|| {
        for (sizes, places) in sizes.chunks_exact(9).zip(places.chunks_exact_mut(9)) {
            exact.decide_into(&model, sizes, places).expect("small enough");
        }
    });
    assert_eq!(optimal, 0, "the exact optimum");
}

#[test]
fn steps_and_inference_do_not_allocate_after_the_first() {
    let shape = Shape::new(4, &[9, 40, 30, 18]);
    let mut random = Random(1);
    let mut state = State::random(&shape, &mut random);
    let inputs = random.numbers(300 * shape.inputs());
    let targets = random.targets(Head::Sigmoid, 300, shape.outputs());
    let indices: Vec<u32> = (0..4 * 33).collect();
    let samples = Samples { inputs: &inputs, targets: &targets };
    let parameters = state.parameters.clone();
    let views = parameters.view();
    let mut logits = vec![0.0; 4 * 300 * shape.outputs()];
    let mut losses = vec![0.0; 4];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread pool");
    for kernel in kernels() {
        let mut ensemble = state.lend(&shape);
        let trainer = Trainer::new(shape.clone(), Head::Sigmoid, kernel);
        let inference = Inference::new(shape.clone(), kernel);
        let mut work = |time_step| {
            trainer.step(&mut ensemble, samples, &indices, &Adam::default(), time_step, Some(&mut losses));
            inference.forward(&views.iter().copied(), &inputs, &mut logits);
            inference.forward(&views.iter().copied(), &inputs[..shape.inputs()], &mut logits[..4 * shape.outputs()]);
        };
        let allocations = pool.install(|| {
            work(1);
            let before = ALLOCATIONS.get();
            (2..20).for_each(&mut work);
            ALLOCATIONS.get() - before
        });
        assert_eq!(allocations, 0, "{kernel:?}");
    }
}
