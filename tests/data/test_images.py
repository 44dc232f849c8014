"""ImageSet: what it holds, what it refuses, and how some of it is held out."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from infogan_core.data.images import ImageSet, image_set
from pictures import noise, refused


def test_image_set_knows_its_form():
    images = ImageSet(torch.zeros(5, 3, 32, 32, dtype=torch.uint8), torch.zeros(5, dtype=torch.int64), "five")
    assert (len(images), images.channels, images.size) == (5, 3, 32)


def test_sha256_covers_the_shape():
    pixels = torch.arange(16, dtype=torch.uint8)
    wide, deep = ImageSet(pixels.view(4, 1, 2, 2), None, "a"), ImageSet(pixels.view(1, 4, 2, 2), None, "b")
    assert wide.sha256 != deep.sha256


def test_sha256_does_not_depend_on_the_memory_layout():
    pixels = torch.from_numpy(noise(4, 3, 28, 28))
    other = pixels.contiguous(memory_format=torch.channels_last)
    assert ImageSet(pixels, None, "a").sha256 == ImageSet(other, None, "a").sha256


@pytest.mark.parametrize(
    ("pixels", "labels", "message"),
    [
        (torch.zeros(2, 1, 28, 28), None, "float32"),
        (torch.zeros(2, 28, 28, dtype=torch.uint8), None, r"\[2, 28, 28\]"),
        (torch.zeros(2, 1, 28, 32, dtype=torch.uint8), None, r"\[2, 1, 28, 32\]"),
        (torch.zeros(0, 1, 28, 28, dtype=torch.uint8), None, r"\[0, 1, 28, 28\]"),
        (
            torch.zeros(2, 1, 28, 28, dtype=torch.uint8),
            torch.zeros(3, dtype=torch.int64),
            r"whole numbers \[2\].*\[3\]",
        ),
        (torch.zeros(2, 1, 28, 28, dtype=torch.uint8), torch.zeros(2), "float32"),
        (np.zeros((2, 1, 28, 28)), None, "float64"),
        (np.uint8(3), None, r"\[N, C, H, H\], found torch.uint8 \[\]"),
        ([[1, 2], [3]], None, "pixels must be an array of numbers; this list is not"),
        (None, None, "pixels must be an array of numbers; this NoneType is not"),
        (np.zeros((2, 1, 28, 28), np.uint8), ["a", "b"], "labels must be an array of numbers; this list is not"),
        (np.zeros((2, 1, 28, 28), np.uint8), [True, False], "labels must be whole numbers"),
    ],
)
def test_image_set_refuses_what_does_not_fit(pixels, labels, message):
    with refused(ValueError, f"mine: .*{message}"):
        ImageSet(pixels, labels, "mine")


def test_image_set_refuses_attributes_without_names():
    pixels = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
    with refused(ValueError, r"mine: attributes must be numbers \[2, 1\], one column per name, found .*\[2, 2\]"):
        ImageSet(pixels, None, "mine", attributes=torch.zeros(2, 2), attribute_names=("a",))
    with refused(ValueError, r"mine: attributes must be finite"):
        ImageSet(pixels, None, "mine", attributes=[[0], [np.nan]], attribute_names=("a",))


@pytest.mark.parametrize("labels", [[3, 1], np.uint8([3, 1]), torch.tensor([3, 1], dtype=torch.int32)])
def test_arrays_and_lists_are_taken_for_tensors(labels):
    pixels = noise(2, 3, 28, 28)
    images = ImageSet(pixels, labels, "mine", attributes=[[0.5], [1]], attribute_names=("a",))
    assert np.array_equal(images.pixels, pixels)
    assert (images.labels.dtype, images.labels.tolist()) == (torch.int64, [3, 1])
    assert (images.attributes.dtype, images.attributes.tolist()) == (torch.float32, [[0.5], [1.0]])


def test_an_array_that_cannot_be_written_is_taken(recwarn):
    pixels = noise(2, 1, 28, 28)
    pixels.flags.writeable = False
    assert np.array_equal(ImageSet(pixels, None, "mine").pixels, pixels)
    assert not recwarn


def test_repr_is_one_line_without_pixels():
    images = ImageSet(noise(10, 3, 32, 32), None, "mine").hold_out_last(3)
    assert repr(images) == "ImageSet('mine', kind 'own': 7 of 3x32x32, 3 held out)"


# ---- held out


def twenty() -> ImageSet:
    """Images whose pixels, labels and attributes all tell their number, with a note."""
    pixels = np.broadcast_to(np.arange(20, dtype=np.uint8)[:, None, None, None], (20, 28, 28, 3)).copy()
    images = image_set(pixels, np.arange(20), "twenty", "svhn")
    attributes = torch.arange(20.0)[:, None]
    return replace(images, attributes=attributes, attribute_names=("number",), stand_in_note="rendered")


def numbers(images: ImageSet) -> list[int]:
    assert images.pixels[:, 1, 3, 3].tolist() == images.labels.tolist() == images.attributes[:, 0].tolist()
    assert (images.attribute_names, images.kind, images.stand_in_note) == (("number",), "svhn", "rendered")
    return images.labels.tolist()


def test_hold_out_fifth_takes_everything_once():
    images = twenty().hold_out_fifth()
    assert (len(images), len(images.held_out)) == (16, 4)
    assert sorted(numbers(images) + numbers(images.held_out)) == list(range(20))
    assert (images.name, images.held_out.name) == ("twenty", "twenty, held out")


def test_hold_out_last_keeps_the_order_and_copies_nothing():
    whole = twenty()
    images = whole.hold_out_last(3)
    assert numbers(images) == list(range(17))
    assert numbers(images.held_out) == [17, 18, 19]
    assert images.pixels.data_ptr() == whole.pixels.data_ptr()


def test_validation_comes_from_the_training_pictures_and_what_is_held_out_stays():
    images = twenty().hold_out_last(3)
    parts = images.validate_on_last(5)
    assert [numbers(part) for part in (parts, parts.validation, parts.held_out)] == [
        list(range(12)),
        list(range(12, 17)),
        [17, 18, 19],
    ]
    assert parts.name != images.name  # another training set


def test_pixels_are_contiguous():
    assert twenty().pixels.is_contiguous()
    assert twenty().pick(torch.tensor([3, 1]), "two").pixels.is_contiguous()


@pytest.mark.parametrize("split", ["hold_out_last", "validate_on_last"])
def test_some_pictures_must_be_left_to_train_on(split):
    images = ImageSet(np.zeros((4, 1, 28, 28), np.uint8), None, "four")
    with pytest.raises(ValueError, match="no picture of 4 would be left to train on"):
        getattr(images, split)(4)
