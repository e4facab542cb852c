"""Schedules of the laboratory: a seed decides them, and no two faults at a time get in each other's way."""
import pytest

import lab_faults
from lab_shape import SHAPES

ALL = {"lose", "slow"}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_schedule_can_be_made_again_and_read_back(shape):
    seen = set()
    for seed in range(1, 60):
        faults = lab_faults.schedule(seed, shape, ALL)
        assert faults == lab_faults.schedule(seed, shape, ALL)
        assert lab_faults.parse(" ".join(map(lab_faults.text, faults)), shape) == faults
        assert all(faults[i].at <= faults[i + 1].at for i in range(len(faults) - 1))
        seen |= {fault.kind for fault in faults}
    wanted = {kind for kind, row in lab_faults.KINDS.items()
              if row.weight > 0 and (row.needs in ("", *ALL) or row.needs == "etcd" and shape.etcd
                                     or row.needs == "replicas" and shape.replicas > 1)}
    assert seen == wanted


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_one_fault_holds_no_other_takes(shape):
    for seed in range(1, 60):
        faults = lab_faults.schedule(seed, shape, ALL)
        for i, fault in enumerate(faults):
            assert not lab_faults.meets(shape, fault, faults[:i])


def test_what_the_kernel_cannot_do_is_left_out():
    kinds = {fault.kind for seed in range(1, 60) for fault in lab_faults.schedule(seed, SHAPES["static"], set())}
    assert "loss" not in kinds and "delay" not in kinds and "kill" in kinds


def test_copies_of_a_shard_are_on_different_hosts():
    for shape in SHAPES.values():
        for shard in range(shape.shards):
            copies = shape.copies(shard)
            assert len({shape.nodes[name].host for name in copies}) == len(copies) == shape.replicas


@pytest.mark.parametrize("word", ["kill:nobody@1", "melt:store-0@1", "kill:store-0=3@1", "loss:h1@1+2", "kill:store-0"])
def test_what_is_no_fault_is_refused(word):
    with pytest.raises(ValueError):
        lab_faults.parse(word, SHAPES["static"])
