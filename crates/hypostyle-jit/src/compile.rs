//! The compiler: typed operations to machine code, by Cranelift, with the whole loop over the rows in it.
//!
//! What is written for a user's function is arithmetic on registers only.  Loads and stores stand in the skeletons of the loops,
//! here, so a program cannot reach memory that it was not given.

#![expect(unsafe_code, reason = "the call of compiled code; each block has its argument")]

mod arguments;
mod body;
mod skeleton;
mod windows;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cranelift_codegen::ir::{AbiParam, types};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, default_libcall_names};

use self::arguments::Arguments;
pub use self::arguments::Mode;
use crate::interpret::Column;
use crate::lower::windows::Part;
use crate::ops::{Code, IntBinary, Op, Overflow};

/// The rows that compiled code reads, and where the results go.
#[derive(Debug)]
pub struct Call<'a, 'c, 'r, 'k> {
    pub columns: &'a [Column<'c>],
    /// Which rows are read at all, for scans but [`Mode::Whole`]; the others are in error.
    pub read: &'a [bool],
    /// The key of each row, for [`Mode::Keyed`].
    pub keys: &'a [u32],
    /// The state, or those of all keys.
    pub states: &'a mut [u64],
    pub results: &'a mut [&'r mut [u64]],
    /// What each result is, or bits that say which are valid.
    pub kinds: &'a mut [&'k mut [u8]],
    /// The first row, and the one after the last.
    pub start: usize,
    pub end: usize,
}

type Build<'a, 'f> = &'a mut FunctionBuilder<'f>;
type Target<'a> = &'a mut JITModule;

/// Machine code for a function.
pub struct Compiled {
    mode: Mode,
    /// The slots of a state.
    width: usize,
    results: usize,
    /// Whether it reads which rows of columns are null.
    reads_nulls: bool,
    entry: extern "C" fn(*const Arguments),
    /// The memory of the code; freed when it is dropped.
    module: Option<JITModule>,
}

// SAFETY: the code is immutable once it is made, and works on its arguments only; the module is not used again until it is dropped.
unsafe impl Send for Compiled {}
// SAFETY: as above.
unsafe impl Sync for Compiled {}

impl Drop for Compiled {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: `entry` is the only pointer into the module's memory, and it goes with this.
            unsafe { module.free_memory() };
        }
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compiled")
    }
}

/// Why there is no machine code; the interpreter runs instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCompiled(pub String);

impl Compiled {
    /// Compiles a function.
    ///
    /// # Errors
    /// If the machine is not supported, or memory cannot be made executable.
    pub fn new(code: &Code, mode: Mode) -> Result<Self, NotCompiled> {
        let mut compiled = Self::guarded(mode, code.next.len(), code.results.len(), |build, module| {
            skeleton::write(build, module, code, mode)
        })?;
        compiled.reads_nulls = code.ops.iter().any(|op| matches!(op, Op::IsNull(_)));
        Ok(compiled)
    }

    /// Compiles a function of a window.
    ///
    /// # Errors
    /// As [`Compiled::new`].
    pub fn of_window(parts: &[Part], results: usize) -> Result<Self, NotCompiled> {
        Self::guarded(Mode::Window, 0, results, |build, module| windows::write(build, module, parts))
    }

    fn guarded(
        mode: Mode,
        width: usize,
        results: usize,
        write: impl FnOnce(Build, Target) -> Result<(), String>,
    ) -> Result<Self, NotCompiled> {
        match catch_unwind(AssertUnwindSafe(|| Self::made(mode, width, results, write))) {
            Ok(made) => made,
            Err(_) => Err(NotCompiled("the compiler failed".to_string())),
        }
    }

    fn made(
        mode: Mode,
        width: usize,
        results: usize,
        write: impl FnOnce(Build, Target) -> Result<(), String>,
    ) -> Result<Self, NotCompiled> {
        let mut builder = JITBuilder::with_isa(isa()?, default_libcall_names());
        body::symbols(&mut builder);
        let mut module = JITModule::new(builder);
        let mut context = module.make_context();
        let pointer = module.target_config().pointer_type();
        if pointer != types::I64 {
            return Err(NotCompiled("pointers do not have 64 bits".to_string()));
        }
        context.func.signature.params.push(AbiParam::new(pointer));
        let mut functions = FunctionBuilderContext::new();
        let mut build = FunctionBuilder::new(&mut context.func, &mut functions);
        write(&mut build, &mut module).map_err(NotCompiled)?;
        build.seal_all_blocks();
        build.finalize();
        let failed = |error: &dyn std::fmt::Display| NotCompiled(error.to_string());
        let id = module
            .declare_function("function", Linkage::Export, &context.func.signature)
            .map_err(|error| failed(&error))?;
        module.define_function(id, &mut context).map_err(|error| NotCompiled(format!("{error:?}")))?;
        module.clear_context(&mut context);
        module.finalize_definitions().map_err(|error| failed(&error))?;
        let address = module.get_finalized_function(id);
        // SAFETY: the address is that of the function that was just defined with this signature and the system's calling
        // convention; it lives as long as the module, which `Self` owns.
        let entry = unsafe { std::mem::transmute::<*const u8, extern "C" fn(*const Arguments)>(address) };
        Ok(Self { mode, width, results, reads_nulls: false, entry, module: Some(module) })
    }

    /// Runs the code.
    ///
    /// # Panics
    /// If there are fewer values, results or states than rows and keys.
    pub fn run(&self, call: Call) {
        let Call { columns, read, keys, states, results, kinds, start, end } = call;
        let scans = matches!(self.mode, Mode::Scan | Mode::Whole | Mode::Keyed);
        let kinds_needed = if self.mode == Mode::Vector { end.div_ceil(8) } else { end };
        let some_always = self.reads_nulls && columns.iter().any(|column| column.valid.is_none());
        let always = vec![true; if some_always { end } else { 0 }];
        if self.mode == Mode::Window {
            let [values, firsts, ends] = columns else { panic!("windows have three columns") };
            let within = |(first, end): (&u64, &u64)| first < end && *end <= values.values.len() as u64;
            assert!(firsts.values.len() >= end && ends.values.len() >= end, "a column is too short");
            assert!(
                firsts.values[start..end].iter().zip(&ends.values[start..end]).all(within),
                "a window without values"
            );
        } else {
            assert!(columns.iter().all(|column| column.values.len() >= end), "a column is too short");
        }
        assert!(
            columns.iter().all(|column| column.valid.is_none_or(|valid| valid.len() >= end)),
            "a column is too short"
        );
        assert!(
            results.len() == self.results && results.iter().all(|results| results.len() >= end),
            "no place for results"
        );
        assert!(
            kinds.len() == self.results && kinds.iter().all(|kinds| kinds.len() >= kinds_needed),
            "no place for kinds"
        );
        assert!(!scans || self.mode == Mode::Whole || read.len() >= end, "it is not known which rows are read");
        let last_key = match self.mode {
            Mode::Keyed => {
                assert!(keys.len() >= end, "rows without a key");
                keys[start..end].iter().fold(0, |last, key| last.max(*key)) as usize
            }
            _ => 0,
        };
        assert!(!scans || start >= end || states.len() >= (last_key + 1) * self.width, "a key without a state");
        let values: Vec<*const u64> = columns.iter().map(|column| column.values.as_ptr()).collect();
        let valid: Vec<*const bool> = columns.iter().map(|column| column.valid.unwrap_or(&always).as_ptr()).collect();
        let results: Vec<*mut u64> = results.iter_mut().map(|results| results.as_mut_ptr()).collect();
        let kinds: Vec<*mut u8> = kinds.iter_mut().map(|kinds| kinds.as_mut_ptr()).collect();
        let arguments = Arguments {
            columns: values.as_ptr(),
            valid: valid.as_ptr(),
            states: states.as_mut_ptr(),
            results: results.as_ptr(),
            kinds: kinds.as_ptr(),
            keys: keys.as_ptr(),
            start: start as u64,
            end: end as u64,
            read: read.as_ptr(),
        };
        // SAFETY of the code that is called: its loads and stores stand in `skeleton.rs`, and reach rows `start..end` of what
        // was asserted to be that long: columns, their validity (which is read if `reads_nulls`), `read`,
        // results and kinds, and `width` slots of the state of each key.
        (self.entry)(&raw const arguments);
    }
}

fn isa() -> Result<OwnedTargetIsa, NotCompiled> {
    let mut flags = settings::builder();
    for (name, value) in
        [("opt_level", "speed"), ("is_pic", "false"), ("use_colocated_libcalls", "false"), ("enable_verifier", "true")]
    {
        flags.set(name, value).map_err(|error| NotCompiled(error.to_string()))?;
    }
    let isa = cranelift_native::builder().map_err(|error| NotCompiled(error.to_string()))?;
    isa.finish(settings::Flags::new(flags)).map_err(|error| NotCompiled(error.to_string()))
}

/// Whether there are vectors of two values for all operations.
pub fn fits_vectors(code: &Code) -> bool {
    let vector = |op: &Op| match op {
        Op::Field(..) | Op::Math(..) | Op::Math2(..) | Op::Round(..) | Op::IntQuotient(..) => false,
        Op::IntBinary(op, _, b) => match op {
            IntBinary::Add | IntBinary::Sub | IntBinary::Mul | IntBinary::And | IntBinary::Or | IntBinary::Xor => true,
            IntBinary::Shl | IntBinary::Shr => code.constant_int(*b).is_some(),
            _ => false,
        },
        Op::IntOverflows(op, ..) => matches!(op, Overflow::Add | Overflow::Sub),
        _ => true,
    };
    code.next.is_empty() && code.ops.iter().all(vector)
}
