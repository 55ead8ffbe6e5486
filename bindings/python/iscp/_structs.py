"""The structs of include/iscp/*.h, field by field, under their C names. A test compares them with the headers."""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    c_char_p,
    c_double,
    c_float,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)

from ._struct import Struct
from ._structs_train import (
    iscp_attack_info,
    iscp_attack_options,
    iscp_invert_info,
    iscp_invert_options,
    iscp_inverted,
    iscp_poison_options,
    iscp_train_options,
    iscp_train_state,
    iscp_trigger_info,
    iscp_trigger_options,
)


class iscp_status(c_int32):
    """A result of 0 or an error; a type of its own, so that functions which can fail are told from those that count."""


log_fn = CFUNCTYPE(None, c_int32, c_char_p, c_void_p)
allocate_fn = CFUNCTYPE(c_void_p, c_size_t, c_void_p)
release_fn = CFUNCTYPE(None, c_void_p, c_void_p)


class iscp_context_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("threads", c_int32),
        ("backend", c_int32),
        ("log_level", c_int32),
        ("log", log_fn),
        ("log_user", c_void_p),
        ("allocate", allocate_fn),
        ("release", release_fn),
        ("allocator_user", c_void_p),
        ("memory", c_int64),
        ("convolutions", c_int32),
        ("precision", c_int32),
    ]


class iscp_contract(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("channels", c_int32),
        ("height", c_int32),
        ("width", c_int32),
        ("pad_top", c_int32),
        ("pad_bottom", c_int32),
        ("pad_left", c_int32),
        ("pad_right", c_int32),
        ("mean", c_float * 3),
        ("std", c_float * 3),
        ("resize_short", c_int32),
        ("resize_height", c_int32),
        ("resize_width", c_int32),
        ("filter", c_int32),
        ("crop_height", c_int32),
        ("crop_width", c_int32),
        ("crop_rule", c_int32),
        ("order", c_int32),
        ("range", c_int32),
    ]


class iscp_model_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("class_count", c_int32),
        ("contract", POINTER(iscp_contract)),
        ("class_names", POINTER(c_char_p)),
        ("state_dict", c_char_p),
        ("stride", c_int32),
        ("reserved", c_int32),
    ]


class iscp_model_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("depth", c_int32),
        ("width", c_int32),
        ("stem", c_int32),
        ("classes", c_int32),
        ("channels", c_int32),
        ("parameters", c_int64),
        ("multiply_adds", c_int64),
        ("planes", c_int32),
        ("inner", c_int32),
        ("stride", c_int32),
        ("reserved", c_int32),
    ]


class iscp_progress(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_int32),
        ("stage", c_char_p),
        ("done", c_int64),
        ("total", c_int64),
    ]


iscp_progress_fn = CFUNCTYPE(c_int, POINTER(iscp_progress), c_void_p)


class iscp_dataset_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("classes", c_int32),
        ("contract", POINTER(iscp_contract)),
        ("labels", c_char_p),
        ("split", c_char_p),
        ("limit", c_int64),
        ("borrow", c_int32),
        ("layout", c_int32),
        ("skip_broken", c_int32),
        ("reserved", c_int32),
        ("memory", c_int64),
        ("progress", iscp_progress_fn),
        ("user", c_void_p),
    ]


class iscp_dataset_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("classes", c_int32),
        ("images", c_int64),
        ("broken", c_int64),
        ("kind", c_char_p),
        ("channels", c_int32),
        ("reserved", c_int32),
        ("height_low", c_int32),
        ("height_high", c_int32),
        ("width_low", c_int32),
        ("width_high", c_int32),
    ]


class iscp_pattern_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("target", c_int32),
        ("channels", c_int32),
        ("height", c_int32),
        ("width", c_int32),
        ("pixels", c_int32),
        ("tied", c_int32),
        ("tied_kept", c_int32),
        ("kind", c_int32),
    ]


class iscp_search_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("preset", c_int32),
        ("alpha_mode", c_int32),
        ("canvas_kinds", c_int32),
        ("alpha", c_double),
        ("step", c_double),
        ("fraction", c_double),
        ("select_size", c_double),
        ("seed", c_uint64),
        ("canvases", c_int32),
        ("epochs", c_int32),
        ("batch", c_int32),
        ("select", c_int32),
        ("ties", c_int32),
        ("lanes", c_int32),
        ("class_count", c_int32),
        ("user_canvas_count", c_int32),
        ("classes", POINTER(c_int32)),
        ("user_canvases", POINTER(c_float)),
        ("pass_batch", c_int32),
        ("reserved", c_int32),
        ("min_accuracy", c_double),
        ("tv", c_double),
        ("canvas_steps", c_int32),
        ("mask_steps", c_int32),
        ("canvas_step", c_double),
    ]


class iscp_canvas_result(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("image", c_int64),
        ("alpha", c_double),
        ("loss", c_double),
        ("power", c_double),
        ("selected", c_int32),
        ("saturated", c_int32),
        ("zeros", c_int32),
        ("steps", c_int32),
        ("canvas_steps", c_int32),
        ("reserved", c_int32),
    ]


class iscp_evaluate_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("images", c_int32),
        ("fraction", c_double),
        ("seed", c_uint64),
        ("batch", c_int32),
        ("reserved", c_int32),
    ]


class iscp_power(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("target", c_int32),
        ("nontarget", c_int64),
        ("nontarget_hits", c_int64),
        ("nontarget_clean", c_int64),
        ("target_images", c_int64),
        ("target_correct", c_int64),
        ("asr", c_double),
        ("asr_low", c_double),
        ("asr_high", c_double),
        ("accuracy", c_double),
        ("accuracy_low", c_double),
        ("accuracy_high", c_double),
        ("pw", c_double),
    ]


class iscp_check_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("causes", c_int32),
        ("sample", c_int64),
        ("batch", c_int32),
        ("reserved", c_int32),
    ]


class iscp_check_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("plausible", c_int32),
        ("images", c_int64),
        ("correct", c_int64),
        ("accuracy", c_double),
        ("low", c_double),
        ("high", c_double),
        ("plausible_from", c_double),
        ("classes", c_int32),
        ("favourite", c_int32),
        ("favourite_count", c_int64),
        ("confusions", c_int32),
        ("causes", c_int32),
    ]


class iscp_check_class(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("confused", c_int32),
        ("images", c_int64),
        ("correct", c_int64),
        ("predicted", c_int64),
        ("accuracy", c_double),
        ("low", c_double),
        ("high", c_double),
        ("precision", c_double),
    ]


class iscp_confusion(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("label", c_int32),
        ("predicted", c_int32),
        ("reserved", c_int32),
        ("images", c_int64),
        ("share", c_double),
    ]


class iscp_cause(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("text", c_char_p),
        ("images", c_int64),
        ("correct", c_int64),
        ("accuracy", c_double),
        ("low", c_double),
        ("high", c_double),
        ("restores", c_int32),
        ("reserved", c_int32),
        ("contract", POINTER(iscp_contract)),
        ("labels", POINTER(c_int32)),
    ]


class iscp_gradcam_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("stage", c_int32),
        ("reserved", c_int32),
    ]


class iscp_gradcam_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("class_index", c_int32),
        ("predicted", c_int32),
        ("height", c_int32),
        ("width", c_int32),
        ("reserved", c_int32),
        ("logit", c_double),
        ("maximum", c_double),
    ]


class iscp_attention_shift(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("target", c_int32),
        ("predicted_before", c_int32),
        ("predicted_after", c_int32),
        ("inside_before", c_double),
        ("inside_after", c_double),
        ("area", c_double),
    ]


class iscp_uap_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("method", c_int32),
        ("eps", c_double),
        ("step", c_double),
        ("fraction", c_double),
        ("seed", c_uint64),
        ("epochs", c_int32),
        ("batch", c_int32),
        ("loss_clamp", c_double),
        ("overshoot", c_double),
        ("inner_steps", c_int32),
        ("reserved", c_int32),
        ("stop", c_double),
    ]


class iscp_uap_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("class_index", c_int32),
        ("finished", c_int32),
        ("epochs", c_int32),
        ("steps", c_int64),
        ("images", c_int64),
        ("fooled", c_int64),
        ("asr", c_double),
        ("asr_low", c_double),
        ("asr_high", c_double),
    ]


class iscp_report_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("resume", c_int32),
        ("overwrite", c_int32),
        ("scale", c_int32),
        ("picture_size", c_double),
        ("images", c_int32),
        ("reserved", c_int32),
        ("sizes", POINTER(c_double)),
        ("size_count", c_int32),
        ("reserved2", c_int32),
    ]


class iscp_run_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("measure", c_int32),
        ("search", POINTER(iscp_search_options)),
        ("report", POINTER(iscp_report_options)),
    ]


class iscp_run_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("stage", c_int32),
        ("class_index", c_int32),
        ("canvas", c_int32),
        ("size", c_double),
        ("class_count", c_int32),
        ("left", c_int32),
    ]


STRUCTS = (
    iscp_context_options,
    iscp_contract,
    iscp_model_options,
    iscp_model_info,
    iscp_dataset_options,
    iscp_dataset_info,
    iscp_pattern_info,
    iscp_progress,
    iscp_search_options,
    iscp_canvas_result,
    iscp_evaluate_options,
    iscp_power,
    iscp_check_options,
    iscp_check_info,
    iscp_check_class,
    iscp_confusion,
    iscp_cause,
    iscp_gradcam_options,
    iscp_gradcam_info,
    iscp_attention_shift,
    iscp_uap_options,
    iscp_uap_info,
    iscp_attack_options,
    iscp_attack_info,
    iscp_report_options,
    iscp_run_options,
    iscp_run_info,
    iscp_invert_options,
    iscp_inverted,
    iscp_invert_info,
    iscp_train_options,
    iscp_train_state,
    iscp_trigger_options,
    iscp_trigger_info,
    iscp_poison_options,
)
