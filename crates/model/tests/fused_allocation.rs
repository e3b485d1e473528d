//! Steps and inference must not allocate once their buffers have grown.
#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait around the system's own")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Random, State, kernels};
use model::fused::{Adam, Head, Inference, Samples, Shape, Trainer};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands every call on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
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

// The only test of this program, so that no other test's allocations are counted.
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
            inference.forward(&views, &inputs, &mut logits);
            inference.forward(&views, &inputs[..shape.inputs()], &mut logits[..4 * shape.outputs()]);
        };
        let allocations = pool.install(|| {
            work(1);
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            (2..20).for_each(&mut work);
            ALLOCATIONS.load(Ordering::Relaxed) - before
        });
        assert_eq!(allocations, 0, "{kernel:?}");
    }
}
