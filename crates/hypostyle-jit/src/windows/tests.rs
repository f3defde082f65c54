//! Compiled and interpreted, with nulls and without, a function gives the same bits.

use crate::execute::{Answers, Backend, Bound, Keys};
use crate::interpret::{Column, NULL, VALID};
use crate::lower::InputType;
use crate::ops::Type;
use crate::program::Function;
use crate::windows::WindowFunction;

/// Values that arithmetic treats in special ways.
const FLOATS: [f64; 14] =
    [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, 2.675, -7.25, 1e300, -1e300, 5e-324, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
const INTS: [i64; 12] = [0, 1, -1, 2, 7, -10, 1 << 53, (1 << 53) + 1, 1 << 62, i64::MAX, i64::MIN, i64::MIN + 1];

/// Every pair of values, as columns, with a null in every `nulls`-th row.
struct Columns {
    values: Vec<Vec<u64>>,
    valid: Vec<Option<Vec<bool>>>,
    types: Vec<InputType>,
}

impl Columns {
    fn new(nulls: usize) -> Self {
        let (mut x, mut y, mut i, mut j, mut b) = (vec![], vec![], vec![], vec![], vec![]);
        for (at, (a, c)) in FLOATS.iter().flat_map(|a| FLOATS.map(|c| (a, c))).enumerate() {
            x.push(a.to_bits());
            y.push(c.to_bits());
            i.push(INTS[at % INTS.len()].cast_unsigned());
            j.push(INTS[at / INTS.len() % INTS.len()].cast_unsigned());
            b.push(u64::from(at % 3 == 0));
        }
        let rows = x.len();
        let valid = (0..5).map(|lane| (nulls > 0).then(|| (0..rows).map(|row| (row + lane) % nulls != 0).collect()));
        let types = vec![InputType::Float, InputType::Float, InputType::Int, InputType::Int, InputType::Bool];
        Self { values: vec![x, y, i, j, b], valid: valid.collect(), types }
    }

    fn columns(&self) -> Vec<Column<'_>> {
        self.values.iter().zip(&self.valid).map(|(values, valid)| Column { values, valid: valid.as_deref() }).collect()
    }

    fn rows(&self) -> usize {
        self.values[0].len()
    }
}

fn function(body: &str, state: &str) -> Function {
    let text = format!(r#"{{"name":"f","inputs":["x","y","i","j","b"],"state":{state},"outputs":[],"body":{body}}}"#);
    Function::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The bits of valid results, a NaN being any NaN, and `None` for nulls.
fn shown(answers: &[Answers], rows: usize) -> Vec<Option<u64>> {
    let is_valid =
        |answers: &Answers, row: usize| answers.valid.as_ref().is_none_or(|bits| bits[row / 8] >> (row % 8) & 1 == 1);
    let bits = |x: u64| if f64::from_bits(x).is_nan() { f64::NAN.to_bits() } else { x };
    answers
        .iter()
        .flat_map(|answers| {
            (0..rows).map(|row| is_valid(answers, row).then(|| bits(answers.values.word(row)))).collect::<Vec<_>>()
        })
        .collect()
}

fn agree(body: &str, state: &str) {
    let function = function(body, state);
    for nulls in [0, 5] {
        let columns = Columns::new(nulls);
        let run = |backend: Backend, keys: Keys, count: usize| {
            let bound =
                Bound::new(&function, &columns.types, backend).unwrap_or_else(|error| panic!("{error}: {body}"));
            let rows = columns.rows();
            if function.state.is_empty() {
                return (shown(&bound.map(&columns.columns(), rows, 1, false).unwrap(), rows), Vec::new());
            }
            let used = |row: usize| {
                columns
                    .valid
                    .iter()
                    .enumerate()
                    .all(|(at, valid)| !bound.uses(at) || valid.as_ref().is_none_or(|valid| valid[row]))
            };
            let read: Vec<bool> = (0..rows).map(used).collect();
            let mut states: Vec<u64> = (0..count).flat_map(|_| bound.start().to_vec()).collect();
            let answers = bound.scan(&columns.columns(), rows, Some(&read), keys, &mut states, false).unwrap();
            (shown(&answers, rows), states)
        };
        let keys: Vec<u32> = (0..columns.rows()).map(|row| u32::try_from(row * row % 5).unwrap()).collect();
        for (keys, count) in [(Keys::One, 1), (Keys::Each(&keys), 5)] {
            let compiled = run(Backend::Compiled, keys, count);
            assert_eq!(compiled, run(Backend::Interpreted, keys, count), "{body}, nulls: {nulls}");
            assert!(compiled.0.iter().any(Option::is_some), "nothing but nulls: {body}");
        }
    }
}

/// `return` of one expression.
fn returned(expression: &str) -> String {
    format!(r#"[["return",[{expression}],[]]]"#)
}

#[test]
fn arithmetic() {
    for symbol in ["+", "-", "*", "/", "//", "%"] {
        for (a, b) in [("x", "y"), ("i", "j"), ("x", "j"), ("i", "y"), ("b", "x"), ("b", "j")] {
            agree(&returned(&format!(r#"["{symbol}",["get","{a}"],["get","{b}"]]"#)), "[]");
        }
    }
    for symbol in ["&", "|", "^"] {
        agree(&returned(&format!(r#"["{symbol}",["get","i"],["get","j"]]"#)), "[]");
        agree(&returned(&format!(r#"["{symbol}",["get","b"],["get","b"]]"#)), "[]");
    }
    for (symbol, by) in [("<<", 3), (">>", 3), ("<<", 63), (">>", 70), ("**", 2), ("**", 3), ("**", 0)] {
        agree(&returned(&format!(r#"["{symbol}",["get","i"],{by}]"#)), "[]");
    }
    for exponent in [r#"["get","y"]"#, r#"["float","2.0"]"#, r#"["float","0.5"]"#, "3", "-1"] {
        agree(&returned(&format!(r#"["**",["get","x"],{exponent}]"#)), "[]");
    }
}

#[test]
fn comparisons_and_choices() {
    for symbol in ["<", "<=", ">", ">=", "==", "!="] {
        for (a, b) in [("x", "y"), ("i", "j"), ("x", "j"), ("i", "y"), ("b", "x")] {
            agree(&returned(&format!(r#"["compare",["get","{a}"],[["{symbol}",["get","{b}"]]]]"#)), "[]");
        }
    }
    for expression in [
        r#"["if",["is_none",["get","x"]],["float","-1.0"],["get","x"]]"#,
        r#"["or",[["get","x"],["get","y"],["float","3.0"]]]"#,
        r#"["and",[["get","i"],["get","j"]]]"#,
        r#"["call","max",[["get","x"],["get","y"],["float","0.0"]]]"#,
        r#"["call","min",[["get","i"],["get","j"]]]"#,
        r#"["compare",["get","x"],[["<",["get","y"]],["<",["float","1.0"]]]]"#,
        r#"["in",["get","i"],[1,7,["float","9007199254740993.0"]]]"#,
        r#"["not",["get","x"]]"#,
    ] {
        agree(&returned(expression), "[]");
    }
}

#[test]
fn functions() {
    for name in ["abs", "int", "round", "float", "bool"] {
        for input in ["x", "i", "b"] {
            agree(&returned(&format!(r#"["call","{name}",[["get","{input}"]]]"#)), "[]");
        }
    }
    for digits in [0, 2, 15, -2, -300] {
        agree(&returned(&format!(r#"["call","round",[["get","x"],{digits}]]"#)), "[]");
    }
    agree(&returned(r#"["call","round",[["get","i"],-3]]"#), "[]");
    let of_math = "sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh cbrt \
                   floor ceil trunc fabs isnan isinf isfinite degrees radians erf erfc gamma lgamma";
    for name in of_math.split_whitespace() {
        agree(&returned(&format!(r#"["call","math.{name}",[["get","x"]]]"#)), "[]");
    }
    for name in ["pow", "atan2", "hypot", "fmod", "copysign", "log"] {
        agree(&returned(&format!(r#"["call","math.{name}",[["get","x"],["get","y"]]]"#)), "[]");
    }
    for name in ["sign", "rint", "square", "arctan", "exp", "isnan", "abs", "floor"] {
        agree(&returned(&format!(r#"["call","np.{name}",[["get","x"]]]"#)), "[]");
    }
    for name in ["maximum", "minimum", "power", "arctan2"] {
        agree(&returned(&format!(r#"["call","np.{name}",[["get","x"],["get","y"]]]"#)), "[]");
    }
}

#[test]
fn branches_and_loops() {
    let newton = r#"[["set","r",["float","1.0"]],["set","k",0],
        ["while",["compare",["get","k"],[["<",40]]],[
            ["set","next",["/",["+",["get","r"],["/",["get","x"],["get","r"]]],["float","2.0"]]],
            ["if",["compare",["get","next"],[["==",["get","r"]]]],[["break"]],[]],
            ["set","r",["get","next"]],["set","k",["+",["get","k"],1]]]],
        ["return",[["get","r"]],[]]]"#;
    let skipping = r#"[["set","sum",0],
        ["for","k",[0,1,2,3,4],[
            ["if",["compare",["%",["get","k"],2],[["==",0]]],[["continue"]],[]],
            ["if",["compare",["get","sum"],[[">",["get","x"]]]],[["return",[["get","sum"]],[]]],[]],
            ["set","sum",["+",["get","sum"],["get","k"]]]]],
        ["return",[["get","sum"]],[]]]"#;
    let unbound =
        r#"[["if",["compare",["get","x"],[[">",0]]],[["set","v",["get","y"]]],[]],["return",[["get","v"]],[]]]"#;
    let block = r#"[["return",[["+",["block",[["if",["get","b"],[["return",[["get","x"]],[]]],[]],
        ["return",[["/",["get","y"],["get","x"]]],[]]]],1]],[]]]"#;
    for body in [newton, skipping, unbound, block] {
        agree(body, "[]");
    }
}

#[test]
fn states() {
    agree(r#"[["return",[["field","s"]],[["+",["field","s"],["get","x"]]]]]"#, r#"[["s",["float","0.0"]]]"#);
    agree(r#"[["return",[["field","s"]],[["+",["field","s"],["get","i"]]]]]"#, r#"[["s",0]]"#);
    // A field that begins as None, and one that an int begins and floats follow.
    agree(
        r#"[["return",[["if",["is_none",["field","last"]],null,["-",["get","x"],["field","last"]]]],[["get","x"],["get","y"]]]]"#,
        r#"[["last",null],["other",0]]"#,
    );
    agree(
        r#"[["set","on",["or",[["get","b"],["and",[["field","on"],["compare",["get","x"],[["<",["get","y"]]]]]]]]],
            ["return",[["get","on"]],[["get","on"],["+",["field","n"],1]]]]"#,
        r#"[["on",false],["n",0]]"#,
    );
}

#[test]
fn values_that_are_an_int_or_a_float() {
    let chosen = r#"["if",["compare",["get","x"],[[">",0]]],["get","i"],["get","y"]]"#;
    for symbol in ["+", "-", "*", "/", "//", "%"] {
        for other in ["i", "y", "b"] {
            agree(&returned(&format!(r#"["{symbol}",{chosen},["get","{other}"]]"#)), "[]");
            agree(&returned(&format!(r#"["{symbol}",["get","{other}"],{chosen}]"#)), "[]");
        }
        agree(&returned(&format!(r#"["{symbol}",{chosen},{chosen}]"#)), "[]");
    }
    for symbol in ["<", "<=", "==", "!="] {
        for other in ["i", "y"] {
            agree(&returned(&format!(r#"["compare",{chosen},[["{symbol}",["get","{other}"]]]]"#)), "[]");
        }
    }
    for call in ["abs", "int", "round", "float", "bool", "math.floor", "math.sqrt", "np.sign", "np.square"] {
        agree(&returned(&format!(r#"["call","{call}",[{chosen}]]"#)), "[]");
    }
    agree(&returned(&format!(r#"["call","max",[{chosen},["get","j"],["float","1.0"]]]"#)), "[]");
    agree(&returned(&format!(r#"["call","np.maximum",[{chosen},["get","j"]]]"#)), "[]");
    agree(&returned(&format!(r#"["neg",{chosen}]"#)), "[]");
    agree(&returned(&format!(r#"["**",["%",{chosen},100],3]"#)), "[]");
    // The state says which it is, if that matters.
    for (result, wider) in [(r#"["//",["field","s"],2]"#, true), (r#"["+",["field","s"],["float","0.5"]]"#, false)] {
        let body = format!(r#"[["return",[{result}],[{chosen}]]]"#);
        for start in ["0", r#"["float","0.0"]"#] {
            agree(&body, &format!(r#"[["s",{start}]]"#));
        }
        let columns = Columns::new(0);
        let bound = Bound::new(&function(&body, r#"[["s",0]]"#), &columns.types, Backend::Interpreted).unwrap();
        assert_eq!(bound.fields()[0].mixed, wider, "{body}");
    }
}

#[test]
fn an_int_that_is_a_float_in_other_rows_is_not_rounded() {
    let columns = Columns::new(0);
    let body = returned(
        r#"["compare",["if",["compare",["get","x"],[[">",0]]],["get","i"],["get","y"]],[["==",9007199254740993]]]"#,
    );
    for backend in [Backend::Compiled, Backend::Interpreted] {
        let bound = Bound::new(&function(&body, "[]"), &columns.types, backend).unwrap();
        let found = shown(&bound.map(&columns.columns(), columns.rows(), 1, false).unwrap(), columns.rows());
        for (row, found) in found.iter().enumerate() {
            let x = f64::from_bits(columns.values[0][row]);
            let equal = x > 0.0 && columns.values[2][row] == 9_007_199_254_740_993;
            assert_eq!(*found, Some(u64::from(equal)), "row {row}");
        }
        assert!(found.contains(&Some(1)));
    }
}

#[test]
fn fields_that_follow_each_other_settle() {
    let names: Vec<String> = (0..30).map(|at| format!("f{at}")).collect();
    let state: Vec<String> = names.iter().map(|name| format!(r#"["{name}",null]"#)).collect();
    let next: Vec<String> = names.iter().take(29).map(|name| format!(r#"["field","{name}"]"#)).collect();
    let body = format!(r#"[["return",[["field","f29"]],[["get","x"],{}]]]"#, next.join(","));
    agree(&body, &format!("[{}]", state.join(",")));
}

#[test]
fn a_row_in_error_is_named() {
    let columns = Columns::new(0);
    let divides = function(&returned(r#"["/",1,["get","x"]]"#), "[]");
    for backend in [Backend::Compiled, Backend::Interpreted] {
        let bound = Bound::new(&divides, &columns.types, backend).unwrap();
        assert_eq!(bound.map(&columns.columns(), columns.rows(), 1, true), Err(0));
    }
}

#[test]
fn a_null_that_makes_the_row_null_anyway_needs_no_notice() {
    let columns = Columns::new(0);
    for (body, strict) in [
        (returned(r#"["+",["get","x"],["get","i"]]"#), true),
        (returned(r#"["or",[["get","x"],["float","1.0"]]]"#), false),
        (returned(r#"["is_none",["get","x"]]"#), false),
        // Where the divisor is None it is not 0, so the division raises.
        (r#"[["if",["compare",["get","y"],[["==",0]]],[["return",[null],[]]],[]],["return",[["/",["get","x"],["get","y"]]],[]]]"#.into(), true),
    ] {
        let bound = Bound::new(&function(&body, "[]"), &columns.types, Backend::Interpreted).unwrap();
        assert_eq!(bound.is_strict(), strict, "{body}");
    }
}

#[test]
fn what_is_no_program_is_refused() {
    let whole = |body: &str| format!(r#"{{"name":"f","inputs":["x"],"state":[],"outputs":[],"body":{body}}}"#);
    for text in [
        String::new(),
        "[]".to_string(),
        "{}".to_string(),
        whole(r#"[["break"]]"#),
        whole(r#"[["return",[],[]]]"#),
        whole(r#"[["return",[1],[2]]]"#),
        whole(r#"[["return",[["field","s"]],[]]]"#),
        whole(r#"[["return",[["float","one"]],[]]]"#),
        whole(r#"[["return",[99999999999999999999],[]]]"#),
        whole(r#"[["return",[["system","rm"]],[]]]"#),
        whole(&format!(r#"[["return",[{}1{}],[]]]"#, r#"["neg","#.repeat(700), "]".repeat(700))),
    ] {
        assert!(Function::parse(&text).is_err(), "{text}");
    }
    let large = format!(
        r#"[["for","k",[{}],[["set","x",["*",["get","x"],["get","x"]]]]],["return",[["get","x"]],[]]]"#,
        vec!["1"; 50_000].join(",")
    );
    let parsed = Function::parse(&whole(&large)).unwrap();
    let error = Bound::new(&parsed, &[InputType::Float], Backend::Interpreted).unwrap_err();
    assert!(error.to_string().contains("operations"), "{error}");
}

#[test]
fn what_is_nested_deep_needs_no_more_stack_than_a_small_thread_has() {
    let deep = |levels: usize| format!("{}[\"get\",\"x\"]{}", "[\"+\",1,".repeat(levels), "]".repeat(levels));
    let nested = |levels: usize| {
        (0..levels).fold("[[\"set\",\"z\",1]]".to_string(), |body, _| format!("[[\"if\",[\"get\",\"b\"],{body},[]]]"))
    };
    let run = move || {
        agree(&returned(&deep(590)), "[]");
        agree(&format!("[{},[\"return\",[[\"get\",\"x\"]],[]]]", &nested(290)[1..][..nested(290).len() - 2]), "[]");
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn loops_over_windows() {
    let run = |body: &str, values: &[f64]| {
        let text = format!(r#"{{"name":"f","inputs":["count","first","last"],"state":[],"outputs":[],"body":{body}}}"#);
        let function = Function::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let (firsts, ends): (Vec<u64>, Vec<u64>) =
            (0..values.len() as u64).flat_map(|i| (i + 1..=values.len() as u64).map(move |j| (i, j))).unzip();
        let of = |backend| {
            let window = WindowFunction::new(&function, backend).unwrap_or_else(|error| panic!("{error}: {body}"));
            let of = window.results()[0];
            let answered = window.evaluate(values, &firsts, &ends);
            let result = |(bits, kind): (&u64, &u8)| {
                (*kind == VALID)
                    .then(|| if of == Type::Int { bits.cast_signed() as f64 } else { f64::from_bits(*bits) })
            };
            let results: Vec<Option<u64>> =
                answered.values[0].iter().zip(&answered.kinds[0]).map(|pair| result(pair).map(f64::to_bits)).collect();
            results
        };
        let compiled = of(Backend::Compiled);
        assert_eq!(compiled, of(Backend::Interpreted), "{body}");
        let windows =
            firsts.iter().zip(&ends).map(|(i, j)| &values[usize::try_from(*i).unwrap()..usize::try_from(*j).unwrap()]);
        (
            compiled.into_iter().map(|bits| bits.map(f64::from_bits)).collect::<Vec<_>>(),
            windows.map(<[f64]>::to_vec).collect::<Vec<_>>(),
        )
    };
    let check = |body: &str, expected: &dyn Fn(&[f64]) -> Option<f64>| {
        let values = [3.0, -1.0, 4.0, 0.0, 5.0, -9.0, 2.5];
        let (results, windows) = run(body, &values);
        for (result, window) in results.iter().zip(&windows) {
            assert_eq!(*result, expected(window), "{body} of {window:?}");
        }
    };
    // A sum that fades; two loops, of which the second needs the first; a return, a break and an error in a loop.
    check(
        r#"[["set","t",["float","0.0"]],["each","v",[["set","t",["+",["*",["float","0.5"],["get","t"]],["get","v"]]]]],["return",[["get","t"]],[]]]"#,
        &|window| Some(window.iter().fold(0.0, |t, v| 0.5 * t + v)),
    );
    check(
        r#"[["if",["compare",["get","count"],[["<",2]]],[["return",[null],[]]],[]],["set","m",0],
            ["each","v",[["set","m",["+",["get","m"],["get","v"]]]]],["set","m",["/",["get","m"],["get","count"]]],["set","s",["float","0.0"]],
            ["each","w",[["set","d",["-",["get","w"],["get","m"]]],["set","s",["+",["get","s"],["*",["get","d"],["get","d"]]]]]],
            ["return",[["/",["get","s"],["-",["get","count"],1]]],[]]]"#,
        &|window| {
            let count = window.len() as f64;
            let mean = window.iter().sum::<f64>() / count;
            (window.len() > 1).then(|| window.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0))
        },
    );
    check(
        r#"[["set","n",0],["each","v",[["if",["compare",["get","v"],[["<",0]]],[["break"]],[]],
            ["if",["compare",["get","v"],[["==",5]]],[["return",[["neg",["get","n"]]],[]]],[]],["set","n",["+",["get","n"],1]]]],
            ["return",[["get","n"]],[]]]"#,
        &|window| {
            let mut n = 0;
            for v in window {
                match *v {
                    v if v < 0.0 => break,
                    5.0 => return Some(f64::from(-n)),
                    _ => n += 1,
                }
            }
            Some(f64::from(n))
        },
    );
    check(
        r#"[["set","p",1],["each","v",[["set","p",["/",["get","p"],["get","v"]]]]],["return",[["get","p"]],[]]]"#,
        &|window| window.iter().try_fold(1.0, |p, v| (*v != 0.0).then(|| p / v)),
    );
    // Several results, of their own types.
    let several = r#"{"name":"f","inputs":["count","first","last"],"state":[],"outputs":["n","low","total"],"body":[
        ["set","n",0],["set","t",["float","0.0"]],["each","v",[["set","n",["+",["get","n"],1]],["set","t",["+",["get","t"],["get","v"]]],
        ["if",["compare",["get","v"],[["<",0]]],[["return",[["get","n"],true,null],[]]],[]]]],
        ["return",[["neg",["get","n"]],false,["get","t"]],[]]]}"#;
    let values = [3.0, -1.0, 4.0];
    for backend in [Backend::Compiled, Backend::Interpreted] {
        let window = WindowFunction::new(&Function::parse(several).unwrap(), backend).unwrap();
        assert_eq!(window.results(), [Type::Int, Type::Bool, Type::Float]);
        let answered = window.evaluate(&values, &[0, 2], &[2, 3]);
        assert_eq!(answered.values[0], [2, (-1i64).cast_unsigned()]);
        assert_eq!(answered.values[1], [1, 0]);
        assert_eq!((answered.values[2][1], &answered.kinds[2]), (4f64.to_bits(), &vec![NULL, VALID]));
    }
}
