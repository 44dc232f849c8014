"""The studies in a sentence each: the numbers are those of their runs."""

from infogan_core.recipes.choices import QUESTIONS
from infogan_core.studies.in_short import cost, in_short

LITTLE = {"mean": 0.1, "min": 0.1, "max": 0.1}
MUCH = {"mean": 2.29, "min": 2.28, "max": 2.3}


def digits(profile, *accuracies):
    return [{"profile": profile, "accuracy": accuracy} for accuracy in accuracies]


def test_a_study_that_was_not_made_is_not_spoken_of():
    assert in_short({}) == ""


def test_figure_1_says_both_sides():
    sides = {"infogan": {"within_100": MUCH, "last": MUCH}, "gan": {"peak": LITTLE, "last": LITTLE, "seeds": [0, 1, 2]}}
    said = in_short({"figure1": {"read": sides}})
    assert "InfoGAN reaches 2.29 (2.28 to 2.30) nats within 100 steps" in said
    assert "is at most 0.10 and ends at 0.10. 3 seeds each" in said


def test_ten_seeds_say_how_many_are_good_and_what_choosing_costs():
    report = {"runs": digits("quick", 0.95, 0.85), "signals": {"information": {"regret": 0.012}}}
    assert "10.0% (5.0% to 15.0%), 1 of 2 seeds with 90% accuracy or more" in in_short({"seeds": report})
    assert "without labels, is 1.2 percentage points less accurate" in in_short({"seeds": report})


def test_every_answer_has_its_error_beside_that_of_the_first():
    profiles = {profile for answers in QUESTIONS.values() for profile in answers.values()}
    runs = [run for profile in profiles - {"open", "open-noise-uniform"} for run in digits(profile, 0.5)]
    runs += digits("open", 0.95, 0.85) + digits("open-noise-uniform", 0.98)
    lines = in_short({"choices": {"runs": runs}}).splitlines()
    assert "three seeds for each answer: **10.0% (5.0% to 15.0%)**, and" in lines[0]
    assert "  - noise: **2.0%** for uniform, instead of normal" in lines


def test_sprites_stand_beside_the_literature():
    report = {"runs": [{"factor_vae": 0.6, "mig": 0.1, "dci": 0.3}]}
    said = in_short({"sprites": report})
    assert "1 seeds: FactorVAE 0.60, MIG 0.10, DCI 0.30" in said
    assert "0.59, 0.05, 0.41 InfoGAN, from the literature" in said


def test_a_part_helps_where_every_seed_is_worse_without_it():
    runs = {"short": (20, 24), "without-average": (40, 50), "without-decay": (23, 30), "without-warps": (18, 19)}
    report = {"runs": [{"profile": p, "frechet": f} for p, both in runs.items() for f in both]}
    lines = in_short({"svhn-parts": report}).splitlines()
    assert lines[0].startswith("- **The parts of SVHN's earlier recipe**, short runs of batches of 32")
    assert lines[0].endswith("20.0 to 24.0 over 2 seeds.")
    assert lines[1:] == [
        "  - Every seed is worse without: average of G (40.0 to 50.0)",
        "  - Every seed is better without: shifted and warped pictures (18.0 to 19.0)",
        "  - The seeds tell no difference: rates that fall to 0 (23.0 to 30.0)",
    ]


def test_a_part_that_attributes_need_is_said():
    runs = {"short": (5, 6), "without-lambda": (0, 0), "without-warps": (4, 6)}
    report = {"runs": [{"profile": p, "frechet": 20.0, "families": n} for p, both in runs.items() for n in both]}
    line = in_short({"celeba-parts": report}).splitlines()[-1]
    assert line.endswith("attributes at 40 points (5 to 6 with all parts) without: lambda other than 1 (0)")


def test_the_cost_is_that_of_all_runs():
    done = {"seeds": {"runs": [{"minutes": 60}, {"minutes": 30}]}, "figure1": {"runs": [{"minutes": 90}]}}
    assert "3 runs, each on one core: 3.0 hours of training, 1.5 on 2 cores" in cost(done)
