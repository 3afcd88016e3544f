import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from recognition.vectors import BadVector, check_vectors, decode_vector, encode_vector, normalize


@given(arrays(np.float32, st.integers(1, 64), elements=st.floats(-1, 1, width=32)))
def test_a_vector_survives_its_bytes(vector: NDArray[np.float32]) -> None:
    data = encode_vector(vector)
    assert len(data) == 4 * len(vector)
    np.testing.assert_array_equal(decode_vector(data, len(vector)), vector)


def test_the_bytes_are_little_endian_float32() -> None:
    assert encode_vector(np.array([1.0, -2.0])) == b"\x00\x00\x80\x3f\x00\x00\x00\xc0"
    assert encode_vector(np.array([1.0, -2.0], dtype=">f4")) == b"\x00\x00\x80\x3f\x00\x00\x00\xc0"


def test_a_decoded_vector_may_be_changed() -> None:
    vector = decode_vector(b"\x00\x00\x80\x3f", 1)
    vector += 1
    assert vector[0] == 2


@pytest.mark.parametrize("size", [0, 4, 7, 9, 12])
def test_bytes_of_another_length_are_refused(size: int) -> None:
    with pytest.raises(BadVector):
        decode_vector(b"\0" * size, 2)


def test_only_one_vector_is_encoded_at_a_time() -> None:
    with pytest.raises(BadVector):
        encode_vector(np.zeros((2, 3)))


@given(arrays(np.float64, (5, 8), elements=st.floats(0.01, 1e6)))
def test_normalized_rows_pass_the_check(matrix: NDArray[np.float64]) -> None:
    unit = normalize(matrix)
    assert unit.dtype == np.float32
    check_vectors(unit, 8)
    np.testing.assert_allclose(normalize(unit), unit, atol=1e-6)


def test_no_rows_are_fine_and_one_vector_too() -> None:
    assert normalize(np.empty((0, 4))).shape == (0, 4)
    check_vectors(np.empty((0, 4), np.float32), 4)
    np.testing.assert_allclose(normalize(np.array([3.0, 4.0])), [0.6, 0.8], atol=1e-7)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_what_has_no_direction_cannot_be_normalized(bad: float) -> None:
    with pytest.raises(BadVector):
        normalize(np.array([[1.0, 0.0], [bad, 0.0]]))


@pytest.mark.parametrize(
    "matrix",
    [
        np.array([1.0, 0.0]),
        np.array([[1.0, 0.0, 0.0]]),
        np.array([[np.nan, 1.0]]),
        np.array([[np.inf, 1.0]]),
        np.array([[0.0, 0.0]]),
        np.array([[1.0, 0.0], [1.002, 0.0]]),
        np.array([[0.998, 0.0]]),
    ],
)
def test_bad_vectors_are_refused(matrix: NDArray[np.float64]) -> None:
    with pytest.raises(BadVector):
        check_vectors(matrix, 2)
    assert issubclass(BadVector, ValueError)
