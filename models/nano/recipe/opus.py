"""Speech as it comes out of the codec of a call: encoded by libopus in packets of 20 ms, some of which are lost and concealed."""

import ctypes
from functools import cache

import numpy as np

from features import RATE_HZ

PACKET = RATE_HZ // 50
VOIP, OK = 2_048, 0
SET_BITRATE, SET_COMPLEXITY, GET_LOOKAHEAD = 4_002, 4_010, 4_027
COMPLEXITY = 5
MOST_BYTES = 1_275
_FLOATS = ctypes.POINTER(ctypes.c_float)


class CodecError(RuntimeError):
    """libopus refused something, or is not installed."""


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libopus.so.0")
    except OSError as error:
        raise CodecError("libopus is not installed: apt-get install libopus0") from error
    library.opus_encoder_create.restype = library.opus_decoder_create.restype = ctypes.c_void_p
    library.opus_encode_float.argtypes = [ctypes.c_void_p, _FLOATS, ctypes.c_int, ctypes.c_char_p, ctypes.c_int32]
    library.opus_decode_float.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, _FLOATS, ctypes.c_int, ctypes.c_int]
    library.opus_encoder_destroy.argtypes = library.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
    return library


def _control(library: ctypes.CDLL, encoder: int, request: int, value) -> None:
    failed = library.opus_encoder_ctl(ctypes.c_void_p(encoder), ctypes.c_int(request), value)
    if failed != OK:
        raise CodecError(f"libopus refused request {request}: {failed}")


def through_opus(pcm: np.ndarray, bits_per_second: int, lost: np.ndarray) -> np.ndarray:
    """
    @param pcm [n] f32 in [-1, 1] at 16 kHz
    @param lost [m] bool, of each packet of 20 ms; those after the last are not lost
    @returns [n] f32, as late as it went in: the codec's own delay is taken out
    @throws CodecError
    """
    library, failed = _library(), ctypes.c_int()
    encoder = library.opus_encoder_create(RATE_HZ, 1, VOIP, ctypes.byref(failed))
    decoder = library.opus_decoder_create(RATE_HZ, 1, ctypes.byref(failed))
    if failed.value != OK or not encoder or not decoder:
        raise CodecError(f"libopus cannot be set up: {failed.value}")
    try:
        delay = ctypes.c_int32()
        _control(library, encoder, SET_BITRATE, ctypes.c_int32(bits_per_second))
        _control(library, encoder, SET_COMPLEXITY, ctypes.c_int32(COMPLEXITY))
        _control(library, encoder, GET_LOOKAHEAD, ctypes.byref(delay))
        packets = -(-(len(pcm) + delay.value) // PACKET)
        sound = np.zeros(packets * PACKET, np.float32)
        sound[: len(pcm)] = pcm
        out, packet = np.zeros_like(sound), ctypes.create_string_buffer(MOST_BYTES)
        place = lambda array, index: array[index * PACKET :].ctypes.data_as(_FLOATS)
        for index in range(packets):
            size = library.opus_encode_float(encoder, place(sound, index), PACKET, packet, MOST_BYTES)
            gone = index < len(lost) and lost[index]
            made = library.opus_decode_float(decoder, None if gone else packet, 0 if gone else size, place(out, index), PACKET, 0)
            if size < 0 or made != PACKET:
                raise CodecError(f"libopus failed at packet {index}: {size}, {made}")
        return out[delay.value : delay.value + len(pcm)]
    finally:
        library.opus_encoder_destroy(encoder)
        library.opus_decoder_destroy(decoder)
