"""The watch over time: what grows faster than its text is noticed, and what passes by is not."""

from benchmarks.compliance_fuzz import Checking, Findings, Growth, grows_again, watch_growth


def squared(text):
    """A reader that looks at every pair of characters."""
    return sum(1 for _ in text for _ in text[::8])


def test_a_text_is_alarming_when_ten_times_of_it_take_far_more_than_ten_times():
    assert Growth(500, 0.001, 0.1).is_alarming
    assert not Growth(500, 0.01, 0.1).is_alarming


def test_what_is_over_in_no_time_is_never_alarming():
    assert not Growth(500, 0.0001, 0.01).is_alarming


def test_a_reader_that_looks_at_every_pair_is_noticed_and_noticed_again_in_another_process():
    found = Findings()
    watch_growth("every pair", "保本", squared, found)
    assert len(found.faults) == 1
    assert found.faults[0].startswith("every pair: 500 characters take")
    assert found.passing == 0


def test_a_growth_that_does_not_come_again_is_counted_and_no_fault():
    found = Findings()
    watch_growth("a bad moment", "保本", squared, found, comes_again=lambda *_: False)
    assert (found.faults, found.passing) == ([], 1)


def test_the_checker_itself_can_be_asked_again_in_another_process():
    assert not grows_again(Checking(), "保本保息，稳赚不赔。")
