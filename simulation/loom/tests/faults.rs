//! The models find: each planted fault makes the model fail that is named for it, for the reason that is named, and soon.
//!
//! The modules and the tests, one for each fault, are written by `build.rs`.

use swap_models::explore::finds;
use swap_models::faults::FAULTS;

include!(concat!(env!("OUT_DIR"), "/faults.rs"));
