//! Saved states: whole or refused, never a panic.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, RecordBatch, StringArray, StringDictionaryBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::Int8Type;
use hypostyle::{
    ErrorKind, Stage, cumsum_clip, ewm_mean, expanding_mean, rolling_mean, rolling_median, rolling_std, session_id,
};

fn rows() -> RecordBatch {
    let x = Float64Array::from(vec![Some(1.5), None, Some(f64::NAN), Some(-0.0), Some(2.5), Some(7.0)]);
    let t = TimestampMicrosecondArray::from_iter_values((0..6).map(|i| i * 1_000_000)).with_timezone("Europe/Berlin");
    let key = StringArray::from(vec![Some("a"), None, Some("a name of some length"), Some("a"), Some("b"), None]);
    let mut dictionary = StringDictionaryBuilder::<Int8Type>::new();
    ["u", "v", "u", "u", "v", "v"].iter().for_each(|name| dictionary.append_value(name));
    RecordBatch::try_from_iter_with_nullable([
        ("key", Arc::new(key) as ArrayRef, true),
        ("kind", Arc::new(dictionary.finish()) as ArrayRef, true),
        ("day", Arc::new(Date32Array::from(vec![1, 1, 2, 2, 3, 3])) as ArrayRef, true),
        ("flag", Arc::new(BooleanArray::from(vec![true, false, true, false, true, false])) as ArrayRef, true),
        ("t", Arc::new(t) as ArrayRef, true),
        ("x", Arc::new(x) as ArrayRef, true),
    ])
    .unwrap()
}

fn stage(over: &[&str]) -> Stage {
    let over = || over.iter().copied();
    Stage::new(vec![
        rolling_mean("x", 2).over(over()).alias("mean"),
        rolling_std("x", "3s").by("t").over(over()).alias("std"),
        rolling_median("x", 3).over(over()).alias("median"),
        expanding_mean("x").over(over()).alias("all"),
        ewm_mean("x").with("span", 3).over(over()).alias("ewm"),
        cumsum_clip("x", f64::NEG_INFINITY, 5).over(over()).alias("level"),
        session_id("t", "1s").over(over()).alias("session"),
    ])
    .unwrap()
}

#[test]
fn keys_of_all_types_come_back() {
    for over in [vec![], vec!["key"], vec!["kind"], vec!["day"], vec!["flag"], vec!["key", "day"]] {
        let mut one = stage(&over);
        one.advance(&rows().slice(0, 4)).unwrap();
        let mut other = Stage::from_bytes(&one.to_bytes().unwrap()).unwrap_or_else(|e| panic!("{over:?}: {e}"));
        assert_eq!((one.n_keys(), one.n_rows()), (other.n_keys(), other.n_rows()));
        let rest = rows().slice(4, 2);
        let shown = |stage: &mut Stage| format!("{:?}", stage.advance_columns(&rest).unwrap());
        assert_eq!(shown(&mut one), shown(&mut other), "{over:?}");
        assert_eq!(one.to_bytes().unwrap(), other.to_bytes().unwrap());
    }
}

#[test]
fn a_stage_without_rows_can_be_saved() {
    let saved = stage(&["key"]).to_bytes().unwrap();
    assert_eq!(Stage::from_bytes(&saved).unwrap().kernels(), stage(&["key"]).kernels());
}

#[test]
fn every_damaged_byte_is_noticed() {
    let mut stage = stage(&["key"]);
    stage.advance(&rows()).unwrap();
    let saved = stage.to_bytes().unwrap();
    for place in 0..saved.len() {
        let mut damaged = saved.clone();
        damaged[place] ^= 1 << (place % 8);
        let error = Stage::from_bytes(&damaged).err().unwrap_or_else(|| panic!("byte {place} may be anything"));
        assert_eq!(error.kind(), ErrorKind::State);
    }
    for len in 0..saved.len() {
        assert!(Stage::from_bytes(&saved[..len]).is_err(), "{len} of {} bytes are enough", saved.len());
    }
}

#[test]
fn a_failed_batch_leaves_the_state_as_it_was() {
    let mut stage = stage(&["key"]);
    stage.advance(&rows().slice(2, 4)).unwrap();
    let before = stage.to_bytes().unwrap();
    let error = stage.advance(&rows().slice(0, 3)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsorted);
    assert!(error.to_string().contains("column 't', row 4: the time column is not sorted"), "{error}");
    assert_eq!(stage.to_bytes().unwrap(), before);
}

#[test]
fn a_state_of_other_kernels_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mean.state");
    let mut stage = Stage::new(vec![rolling_mean("x", 2).alias("mean")]).unwrap();
    stage.advance(&rows()).unwrap();
    stage.save(&path).unwrap();
    let error = Stage::load_for(&path, &[rolling_mean("x", 3).alias("mean")]).err().unwrap();
    assert!(error.to_string().contains("window=2") && error.to_string().contains("window=3"), "{error}");
    assert!(Stage::load_for(&path, stage.kernels()).is_ok());
    assert_eq!(Stage::load(folder.path().join("none.state")).err().unwrap().kind(), ErrorKind::Io);
}

#[test]
fn a_column_of_another_type_than_before_is_refused() {
    let mut stage = Stage::new(vec![rolling_mean("x", 2)]).unwrap();
    stage.advance(&rows()).unwrap();
    let narrow: ArrayRef = Arc::new(arrow::array::Float32Array::from(vec![1.0]));
    let error = stage.advance(&RecordBatch::try_from_iter([("x", narrow)]).unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rolling_mean, parameter 'column', column 'x': expected Float64, as in earlier batches, got Float32\n\
         help: cast the column first"
    );
}
