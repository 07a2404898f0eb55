//! A model run to its end, or until it finds something.

use std::env;
use std::panic;
use std::process::{self, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use loom::model::Builder;

use crate::faults::Fault;

/// How much of a model is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Every execution.
    Exhaustive,
    /// Every execution with at most so many switches away from a thread that could have gone on.
    Preemptions(usize),
}

/// Loom's limit of steps in one execution. One that reaches it fails; it is never cut short.
const BRANCHES_MAX: usize = 1_000;

/// Runs `model` within `bound`, to its end.
///
/// # Panics
/// When the model fails, and when the number of executions is not `iterations`: a model or a cell that was changed explores
/// something else, and a run that was cut short must not pass as complete.
pub fn holds(model: fn(), bound: Bound, iterations: usize) {
    let started = Instant::now();
    let counted = Arc::new(AtomicUsize::new(0));
    builder(bound).check(counting(model, &counted));
    let counted = counted.load(Relaxed);
    println!("{counted} iterations, {bound:?}, {} ms", started.elapsed().as_millis());
    assert_eq!(
        counted, iterations,
        "explored another number of executions than is written down. If the cell, the model or loom was changed, make sure \
         that the model still finds its faults and write down the new number; if not, the run was cut short"
    );
}

/// Runs `model` on a faulty copy until it fails, and says in which execution. `test` is the name of the test that calls this:
/// it is run once more in a process of its own, which ends where the model fails. A failed model is not unwound: what it
/// has in hand may rest on the very thing that failed.
///
/// # Panics
/// When the model passes, when it needs more than `fault.iterations_max` executions, and when it fails in any other way than
/// `fault.says`.
pub fn finds(test: &str, model: fn(), fault: &Fault) {
    if env::var_os(IN_CHILD).is_some() {
        return until_it_fails(model);
    }
    let program = env::current_exe().expect("a running test knows its program");
    let child = Command::new(program)
        .args(["--exact", test, "--nocapture"])
        .env(IN_CHILD, "1")
        .output()
        .expect("what runs here can be run again");
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(
        child.status.code() == Some(FAILED),
        "{} does not fail with the fault `{}` planted ({}). The model has a hole. It said:\n{said}",
        fault.found_by,
        fault.name,
        child.status
    );
    let iteration = said.lines().find_map(|line| line.strip_prefix(ITERATION)?.parse().ok());
    let iteration: usize = iteration.expect("a process that ends as failed has said in which iteration");
    println!(
        "`{}` is found by {} in iteration {iteration}",
        fault.name, fault.found_by
    );
    assert!(
        said.contains(fault.says),
        "{} fails with the fault `{}` planted, but it does not say `{}`:\n{said}",
        fault.found_by,
        fault.name,
        fault.says
    );
    assert!(
        iteration <= fault.iterations_max,
        "{} finds `{}` only in iteration {iteration}, not within {}",
        fault.found_by,
        fault.name,
        fault.iterations_max
    );
}

/// Tells a test that it is the child.
const IN_CHILD: &str = "SWAP_MODELS_IN_CHILD";
/// The child's exit code when its model failed; no other end of a test has it.
const FAILED: i32 = 42;
/// Stands before the number of the execution that failed.
const ITERATION: &str = "failed in iteration ";

/// Ends the process in the first panic, wherever it is.
fn until_it_fails(model: fn()) {
    let counted = Arc::new(AtomicUsize::new(0));
    let iteration = Arc::clone(&counted);
    panic::set_hook(Box::new(move |failure| {
        eprintln!("{ITERATION}{}\n{failure}", iteration.load(Relaxed));
        process::exit(FAILED);
    }));
    builder(FAULTS_BOUND).check(counting(model, &counted));
}

/// How far faults are looked for: no farther than every model goes with the true source.
const FAULTS_BOUND: Bound = Bound::Preemptions(3);

/// Loom takes limits from the environment, among them a time after which a run ends and passes. None of them is taken here.
fn builder(bound: Bound) -> Builder {
    let mut builder = Builder::new();
    builder.max_branches = BRANCHES_MAX;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    builder.preemption_bound = match bound {
        Bound::Exhaustive => None,
        Bound::Preemptions(most) => Some(most),
    };
    builder
}

fn counting(model: fn(), counted: &Arc<AtomicUsize>) -> impl Fn() + Send + Sync + 'static {
    let counted = Arc::clone(counted);
    move || {
        counted.fetch_add(1, Relaxed);
        model();
    }
}
