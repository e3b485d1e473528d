#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    acceptance::inputs::workloads::read(bytes);
});
