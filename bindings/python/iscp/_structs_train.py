"""The structs of attack.h, invert.h, train.h and trigger.h, as _structs.py has the others."""

from __future__ import annotations

from ctypes import POINTER, c_double, c_float, c_int32, c_int64, c_uint8, c_uint32, c_uint64

from ._struct import Struct


class iscp_attack_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("norm", c_int32),
        ("eps", c_double),
        ("step", c_double),
        ("steps", c_int32),
        ("random_start", c_int32),
        ("targeted", c_int32),
        ("batch", c_int32),
        ("seed", c_uint64),
    ]


class iscp_attack_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_int32),
        ("images", c_int64),
        ("correct", c_int64),
        ("robust", c_int64),
        ("accuracy", c_double),
        ("low", c_double),
        ("high", c_double),
        ("robust_accuracy", c_double),
        ("robust_low", c_double),
        ("robust_high", c_double),
    ]


class iscp_invert_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("steps", c_int32),
        ("batch", c_int32),
        ("step", c_double),
        ("eps", c_double),
        ("seed", c_uint64),
        ("first", c_int64),
        ("count", c_int64),
    ]


class iscp_inverted(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("label", c_int32),
        ("index", c_int64),
        ("start", c_int64),
        ("start_distance", c_double),
        ("distance", c_double),
        ("stored_distance", c_double),
        ("predicted", c_int32),
        ("reserved", c_int32),
        ("image", POINTER(c_float)),
        ("stored", POINTER(c_uint8)),
    ]


class iscp_invert_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("rows", c_int32),
        ("images", c_int64),
        ("done", c_int64),
        ("taken", c_int64),
        ("start_distance", c_double),
        ("distance", c_double),
        ("stored_distance", c_double),
        ("memory", c_int64),
    ]


class iscp_train_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("epochs", c_int32),
        ("batch", c_int32),
        ("schedule", c_int32),
        ("learning_rate", c_double),
        ("momentum", c_double),
        ("weight_decay", c_double),
        ("step_factor", c_double),
        ("rise", c_double),
        ("step_epochs", c_int32),
        ("nesterov", c_int32),
        ("decay_all", c_int32),
        ("shift", c_int32),
        ("flip", c_int32),
        ("reserved", c_int32),
        ("seed", c_uint64),
        ("attack", c_int32),
        ("attack_steps", c_int32),
        ("attack_eps", c_double),
        ("attack_step", c_double),
    ]


class iscp_train_state(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("epochs", c_int32),
        ("step", c_int64),
        ("epoch_steps", c_int64),
        ("loss", c_double),
        ("accuracy", c_double),
        ("learning_rate", c_double),
        ("images_per_second", c_double),
        ("memory", c_int64),
    ]


class iscp_trigger_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("corner", c_int32),
        ("offset_y", c_int32),
        ("offset_x", c_int32),
    ]


class iscp_trigger_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("height", c_int32),
        ("width", c_int32),
        ("corner", c_int32),
        ("offset_y", c_int32),
        ("offset_x", c_int32),
    ]


class iscp_poison_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("target", c_int32),
        ("rate", c_double),
        ("seed", c_uint64),
        ("keep", c_int32),
        ("reserved", c_int32),
    ]
