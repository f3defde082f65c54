"""Cases of pandas' tests that Hypostyle answers otherwise, by reason; each line a pattern for names of cases.

The run reports a line that fits no case, a left out case that passes, and an answer that had float64 already.
"""

from __future__ import annotations

# The version of pandas whose tests these are.
PANDAS = "3.1"

# Cases that must fail.
LEFT_OUT: dict[str, list[str]] = {
    "dates and durations have a least and a greatest value; pandas refuses them": [
        r"test_dtypes\.py::test_(series|dataframe)_dtypes\[(m8\[ns\]|M8\[ns\]|datetime64\[ns, UTC\])-.*-(min|max)-.*\]",
    ],
    "durations have a sum and a mean; pandas refuses them": [
        r"test_dtypes\.py::test_(series|dataframe)_dtypes\[m8\[ns\]-.*-(sum|mean)-.*\]",
        r"test_dtypes\.py::test_arrow_temporal_matches_numpy\[duration\[ns\]\[pyarrow\]-m8\[ns\]-(rolling|expanding)\]",
    ],
    "an infinity is a value; pandas treats it as missing": [
        r"test_expanding\.py::test_(rank\[True-nans-.*|nunique\[nans)-(1|3|10)\]",
        r"test_rolling\.py::test_(rank\[True-nans-.*|nunique\[nans)-(1|3)\]",
        r"test_rolling\.py::test_rolling_var_same_value_count_logic\[values0-3-1-expected0\]",
    ],
}

# Cases whose answers are turned into float64, the only type that pandas answers with, before they are compared.
OTHER_TYPE: dict[str, list[str]] = {
    "a count is an integer": [
        r"test_api\.py::test_count_nonnumeric_types\[.*\]",
        r"test_api\.py::test_multiple_agg_funcs\[expanding-None-expected_vals1\]",
        r"test_dtypes\.py::test_(series|dataframe)_dtypes\[.*-count-.*\]",
        r"test_(expanding|rolling)\.py::test_(expanding|rolling)_count_default_min_periods_with_null_values\[.*\]",
        r"test_(expanding|rolling)\.py::test_nunique\[(default|duplicates|precision)-1\]",
        r"test_(expanding|rolling)\.py::test_numeric_only_(frame|series)\[count-(True-int|False-int|False-object|True|False)\]",
        r"test_(expanding|rolling_functions)\.py::test_moment_functions_zero_length\[<lambda>0\]",
        r"test_groupby\.py::TestEWM::test_dont_mutate_obj_after_slicing",
        r"test_rolling\.py::test_(rolling_axis_count|min_periods1)",
        r"test_rolling_functions\.py::test_(frame|time_rule_frame|center_reindex_(series|frame))\[.*count-kwargs2.*\]",
        r"test_timeseries_window\.py::TestRollingTS::test_ragged_count",
    ],
    "a least, greatest, first or last value has the type of its column": [
        r"test_api\.py::test_rolling_min_min_periods\[.*\]",
        r"test_(expanding|rolling)\.py::test_numeric_only_frame\[(min|max)-.*\]",
        r"test_(expanding|rolling)\.py::test_numeric_only_series\[(min|max)-(True-int|False-int|False-object)\]",
        r"test_groupby\.py::TestRolling::test_groupby_rolling_no_sort",
        r"test_rolling\.py::test_closed_min_max_datetime\[(min|max)-(right|both)-.*-int\]",
        r"test_timeseries_window\.py::TestRollingTS::test_(regular_min|ragged_(min|max|first|last))",
    ],
    "an answer on a narrow float, a nullable or an Arrow column is of the column's kind": [
        r"test_dtypes\.py::test_(series|dataframe)_dtypes\[float32-.*-(max|min|sum|mean|std|var|median)-.*\]",
        r"test_dtypes\.py::test_(series_nullable_int|arrow_numeric_unaffected)\[.*\]",
        r"test_rolling_functions\.py::test_rolling_min_max_numeric_types\[float32\]",
    ],
}
