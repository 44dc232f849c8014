"""The paper's figures beside ours: which sheet answers, and with which number."""

from infogan_core.studies.paper_figures import figures

DIGITS = {"name": "mnist", "held_out": {"error": 0.034, "n": 10_000}}
DIGITS["codes"] = {
    "c1": {"mi": 2.3},
    "c2": {"slant": -1.0, "width": 0.9},
    "c3": {"slant": 0.95, "width": 0.1},
}
HOUSES = {"name": "svhn", "meaning": {"codes": {name: {"mi": {"digit": 0.1}} for name in ("c1", "c2", "c3")}}}
HOUSES["meaning"]["codes"]["c1"]["mi"]["digit"] = 0.4
CONTEXT = {"left edge": 0.6, "right edge": 0.1}
HOUSES["codes"] = {"c1": {"eta2": dict.fromkeys(CONTEXT, 0.9)}, "c2": {"eta2": CONTEXT}, "c3": {"brightness": -0.8}}
HOUSES["codes"]["c3"] |= {"digit_kept": {"share": 0.6, "sure": 0.9, "n_sure": 300}, "share": {"brightness": 0.2}}
HOUSES["codes"]["c4"] = HOUSES["codes"]["c3"] | {
    "brightness": 0.99,
    "digit_kept": {"share": 0.6, "sure": 0.1, "n_sure": 200},
}
HOUSES["codes"]["c5"] = HOUSES["codes"]["c3"] | {
    "digit_kept": {"share": 0.6, "sure": 1.0, "n_sure": 300},
    "share": {"brightness": 0.02},
}
FACES = {
    "name": "celeba",
    "meaning": {"codes": {"c1": {"rates": {"smile": [0.1, 0.2, 0.65], "bangs": [0.4, 0.1, 0.1]}}}},
}
PLAIN = (("infogan", 0, 0.9, 2.3), ("gan", 0, 0.2, 0.1), ("gan", 1, 0.3, 0.2))


def table(gan=None):
    return [line.split(" | ") for line in figures(DIGITS, HOUSES, FACES, gan).splitlines()[2:]]


def test_every_panel_has_its_row():
    assert [row[0] for row in table()] == [
        f"| {panel}" for panel in ("2a", "2c", "2d", "5a", "5b", "6a", "6b", "6c", "6d")
    ]


def test_slant_and_width_are_answered_by_two_codes():
    """c2 leans more steadily, but only it widens: together the two codes do most as (c3, c2)."""
    rows = table()
    assert rows[1][2:] == ["![c3](mnist/traversals/c3.png)", "rho with slant: c2 -1.00, c3 0.95 |"]
    assert rows[2][2:] == ["![c2](mnist/traversals/c2.png)", "rho with width: c2 0.90, c3 0.10 |"]


def test_light_is_the_code_that_keeps_the_digit():
    """c3: c4 does not keep it, c5 moves little."""
    row = table()[3]
    assert row[2] == "![c3](svhn/traversals/c3.png)"
    assert row[3].startswith("rho of c3 with brightness: -0.80; at both ends of the trained range ")
    assert "the same digit in 60% of all settings, in 90% of the 300 where it is sure" in row[3]


def test_light_that_matters_little_beside_other_codes_is_said_to():
    codes = HOUSES["codes"] | {name: HOUSES["codes"][name] | {"share": {"brightness": 0.01}} for name in ("c3", "c4")}
    row = figures(DIGITS, HOUSES | {"codes": codes}, FACES, None).splitlines()[5]
    assert "rho of c5 with brightness" in row
    assert "its share of how brightness differs between pictures is 2%, below the 10% of a name" in row


def test_without_a_steady_code_the_light_is_not_reproduced():
    codes = {
        name: code | ({"brightness": 0.5} if "brightness" in code else {}) for name, code in HOUSES["codes"].items()
    }
    row = figures(DIGITS, HOUSES | {"codes": codes}, FACES, None).splitlines()[5]
    assert "rho of c3 with brightness: 0.50" in row
    assert "below the 0.8 asked: **not reproduced**" in row


def test_the_context_is_another_code_than_the_digit():
    row = table()[4]
    assert row[2] == "![c2](svhn/traversals/c2.png)"
    assert (
        "c2 changes the left and right edge alike in all pictures to 0.60 and 0.10 (eta^2 within rows), below" in row[3]
    )
    assert "below the 0.64 that a name takes: **not reproduced**" in row[3]
    assert "c1 tells 0.40 of at most 2.303 nats of the digit" in row[3]


def test_an_attribute_is_measured_from_its_codes_median_and_may_be_missing():
    azimuth, glasses, hair, emotion = table()[5:]
    assert azimuth[2:] == glasses[2:] == ["", "no category lies 20 points above its code's median |"]
    assert "c1=0: bangs, 30 points above the median of c1's categories, below the 40 asked: **not repr" in hair[3]
    assert emotion[3] == "c1=2: smile, 45 points above the median of c1's categories |"


def test_a_plain_gan_stands_beside_once_it_has_been_trained():
    runs = [{"profile": p, "seed": s, "accuracy": a, "mi": [m]} for p, s, a, m in PLAIN]
    row = table({"runs": runs})[1]
    assert row[3] == "error 75.0%; L_I(c1) 0.150 nats (means of 2 seeds; seed 0 is shown) |"
