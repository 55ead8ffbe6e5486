"""Generated from include/iscp and lib/base/fields by bindings/generate.py, which is what to change."""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_double,
    c_float,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_uint8,
    c_void_p,
)

from ._struct import Struct


class iscp_status(c_int32):
    """A result of 0 or an error; a type of its own, so that functions that can fail are told from those that count."""


class iscp_context(Structure):
    """Opaque; context.h."""


class iscp_dataset(Structure):
    """Opaque; dataset.h."""


class iscp_model(Structure):
    """Opaque; model.h."""


class iscp_session(Structure):
    """Opaque; model.h."""


class iscp_attack(Structure):
    """An attack holds the activations of a batch and serves one thread at a time (ISCP_ERROR_BUSY otherwise)."""


class iscp_check(Structure):
    """Opaque; check.h."""


class iscp_pattern(Structure):
    """Opaque; pattern.h."""


class iscp_evaluation(Structure):
    """Opaque; evaluate.h."""


class iscp_gradcam(Structure):
    """Where a network looks when it gives a class its logit (Selvaraju et al., 2016; Appendix F of the paper): w_k =
    mean over space of d logit_y / dA_k map = relu( sum over k of w_k A_k ) A are the activations that a stage
    ends in, after its last ReLU; the logit is the one before softmax. The map has the size of A and is brought to
    the image's by bilinear interpolation with half-pixel centres. A Grad-CAM holds one image's activations and
    serves one thread at a time.
    """


class iscp_uap(Structure):
    """Opaque; explain.h."""


class iscp_fields(Structure):
    """The fields of one struct."""


class iscp_inversion(Structure):
    """Holds the images of one batch, however many the set has. One thread at a time (ISCP_ERROR_BUSY otherwise)."""


class iscp_search(Structure):
    """Opaque; search.h."""


class iscp_report(Structure):
    """Opaque; report.h."""


class iscp_pattern_list(Structure):
    """Patterns read back from a report's folder, in the order of result.json: by class, then by canvas. Immutable;
    any thread.
    """


class iscp_run(Structure):
    """Opaque; run.h."""


class iscp_trainer(Structure):
    """Holds the weights, their gradients and momenta, and all activations of a batch. One thread at a time."""


class iscp_trigger(Structure):
    """A picture with alpha, and where it goes. Immutable; any thread."""


log_fn = CFUNCTYPE(None, c_int32, c_char_p, c_void_p)
allocate_fn = CFUNCTYPE(c_void_p, c_size_t, c_void_p)
release_fn = CFUNCTYPE(None, c_void_p, c_void_p)


class iscp_context_options(Struct):
    """See context.h."""

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
    """A stored image goes through, in this order: - grey <-> colour as `channels` asks: grey is copied to three
    channels, colour for a one-channel network is refused; - resizing, to resize_height x resize_width, or so that
    the short side becomes resize_short and the long one int(resize_short * long / short), or not at all; - the
    crop of crop_height x crop_width from the middle, with zeros around a picture that is smaller, or none; -
    zeros padded on four sides; the result must be height x width; - v / 255; the network gets (v / 255 * range -
    mean) / std, its channels in the order `order`. A value out of range, sides that do not add up, or pads that
    leave no room for a picture, is ISCP_ERROR_ARGUMENT where the contract is used.
    """

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


class iscp_progress(Struct):
    """Read-only for the callback, valid only during the call. Later versions may append fields: a callback that
    reads one must look at struct_size first.
    """

    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_int32),
        ("stage", c_char_p),
        ("done", c_int64),
        ("total", c_int64),
    ]


iscp_progress_fn = CFUNCTYPE(c_int, POINTER(iscp_progress), c_void_p)


class iscp_dataset_options(Struct):
    """See dataset.h."""

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
    """What a set is made of. Later versions may append fields."""

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


class iscp_model_options(Struct):
    """See model.h."""

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
    """What a model is made of: iscp_model_get_info fills it, iscp_model_create reads it. Later versions may append
    fields.
    """

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


class iscp_attack_options(Struct):
    """See attack.h."""

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
    """What is left of a model's accuracy. Later versions may append fields. Intervals are 95 % Wilson intervals."""

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


class iscp_check_options(Struct):
    """See check.h."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("causes", c_int32),
        ("sample", c_int64),
        ("batch", c_int32),
        ("reserved", c_int32),
    ]


class iscp_check_info(Struct):
    """The whole set. Intervals are 95 % Wilson intervals. Later versions may append fields."""

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
    """One class. Later versions may append fields."""

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
    """Images of class `label` that were predicted as class `predicted`. Later versions may append fields."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("label", c_int32),
        ("predicted", c_int32),
        ("reserved", c_int32),
        ("images", c_int64),
        ("share", c_double),
    ]


class iscp_cause(Struct):
    """One mistake that may have been made, alone or together with the best of the kinds before. Pointers live as
    long as the check. Later versions may append fields.
    """

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


class iscp_pattern_info(Struct):
    """What a pattern is made of. Later versions may append fields."""

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


class iscp_evaluate_options(Struct):
    """See evaluate.h."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("images", c_int32),
        ("fraction", c_double),
        ("seed", c_uint64),
        ("batch", c_int32),
        ("reserved", c_int32),
    ]


class iscp_power(Struct):
    """The power of one pattern. Intervals are 95 % Wilson intervals. Later versions may append fields."""

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


class iscp_gradcam_options(Struct):
    """See explain.h."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("stage", c_int32),
        ("reserved", c_int32),
    ]


class iscp_gradcam_info(Struct):
    """What a map is of. Later versions may append fields."""

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
    """How attention moves when a pattern is put on an image. Later versions may append fields."""

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
    """See explain.h."""

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
    """How far it is, and what it does on the images that it was crafted on. Later versions may append fields."""

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


class iscp_field(Struct):
    """One field. Later versions may append fields."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("type", c_int32),
        ("name", c_char_p),
        ("needs", c_char_p),
        ("unit", c_char_p),
        ("offset", c_uint32),
        ("count", c_int32),
        ("initial", c_double),
        ("low", c_double),
        ("high", c_double),
        ("rules", c_int32),
        ("words", c_int32),
        ("recorded", c_int32),
        ("since", c_uint32),
    ]


class iscp_invert_options(Struct):
    """See invert.h."""

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
    """One picture that was made. Later versions may append fields. Distances of FEATURES are |f(x) - f(t)| / |f(t)|,
    without the division if |f(t)| is 0; those of the other kinds |x - t|.
    """

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
    """Where an inversion is. Later versions may append fields."""

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


class iscp_search_options(Struct):
    """See search.h."""

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
    """What one canvas gave. Later versions may append fields."""

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


class iscp_report_options(Struct):
    """See report.h."""

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
    """See run.h."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("measure", c_int32),
        ("search", POINTER(iscp_search_options)),
        ("report", POINTER(iscp_report_options)),
    ]


class iscp_run_info(Struct):
    """Later versions may append fields."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("stage", c_int32),
        ("class_index", c_int32),
        ("canvas", c_int32),
        ("size", c_double),
        ("class_count", c_int32),
        ("left", c_int32),
    ]


class iscp_train_options(Struct):
    """See train.h."""

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
    """Where a training is. Later versions may append fields."""

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
    """See trigger.h."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("corner", c_int32),
        ("offset_y", c_int32),
        ("offset_x", c_int32),
    ]


class iscp_trigger_info(Struct):
    """What a trigger is. Later versions may append fields."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("height", c_int32),
        ("width", c_int32),
        ("corner", c_int32),
        ("offset_y", c_int32),
        ("offset_x", c_int32),
    ]


class iscp_poison_options(Struct):
    """See trigger.h."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("target", c_int32),
        ("rate", c_double),
        ("seed", c_uint64),
        ("keep", c_int32),
        ("reserved", c_int32),
    ]


STRUCTS = (
    iscp_context_options,
    iscp_contract,
    iscp_progress,
    iscp_dataset_options,
    iscp_dataset_info,
    iscp_model_options,
    iscp_model_info,
    iscp_attack_options,
    iscp_attack_info,
    iscp_check_options,
    iscp_check_info,
    iscp_check_class,
    iscp_confusion,
    iscp_cause,
    iscp_pattern_info,
    iscp_evaluate_options,
    iscp_power,
    iscp_gradcam_options,
    iscp_gradcam_info,
    iscp_attention_shift,
    iscp_uap_options,
    iscp_uap_info,
    iscp_field,
    iscp_invert_options,
    iscp_inverted,
    iscp_invert_info,
    iscp_search_options,
    iscp_canvas_result,
    iscp_report_options,
    iscp_run_options,
    iscp_run_info,
    iscp_train_options,
    iscp_train_state,
    iscp_trigger_options,
    iscp_trigger_info,
    iscp_poison_options,
)

BACKENDS = {"auto": 0, "onednn": 1, "blas": 2}
CONVOLUTIONS = {"direct": 0, "fast": 1}
PRECISIONS = {"f32": 0, "bf16": 1}
LOG_LEVELS = {"error": 1, "warning": 2, "info": 3, "debug": 4}
FILTERS = {"bilinear": 0, "bicubic": 1}
CROPS = {"even": 0, "floor": 1}
ORDERS = {"RGB": 0, "BGR": 1}
LAYOUTS = {"auto": 0, "nhwc": 1, "nchw": 2}
STEMS = {"imagenet": 1, "cifar": 2}
STRIDES = {"3x3": 1, "1x1": 2}
STORES = {"f32": 1, "f16": 2}
SESSIONS = {"inference": 1, "gradient": 2}
NORMS = {"linf": 1, "l2": 2}
CAUSES = {"poor": 0, "always": 1, "never": 2}
CAUSE_KINDS = {"none": 0, "scale": 1, "order": 2, "size": 3, "pictures": 4, "labels": 5}
PATTERNS = {"replace": 1, "add": 2}
TIES = {"preset": 0, "evidence": 1, "index": 2}
CUTS = {"size": 1, "gamma": 2}
IMAGES = {"heldout": 1, "all": 2, "searched": 3}
UAPS = {"sgd": 1, "deepfool": 2}
TYPES = {"int32": 1, "uint32": 2, "int64": 3, "uint64": 4, "float": 5, "double": 6, "text": 7, "pointer": 8}
RULES = {"above": 1, "below": 2, "bits": 4, "reserved": 8, "size": 16}
INVERSIONS = {"features": 1, "random": 2, "deterministic": 3}
CANVASES = {"positive": 1, "negative": 2, "random": 4, "white": 8, "user": 16}
PRESETS = {"paper": 1, "authors": 2, "predictive": 3}
ALPHAS = {"preset": 0, "fixed": 1, "auto": 2}
SELECTS = {"preset": 0, "loss": 1, "power": 2}
MEASURES = {"selected": 1, "all": 2, "none": 3, "compared": 4}
STAGES = {"clean": 1, "search": 2, "measure": 3, "write": 4, "done": 5}
SCHEDULES = {"constant": 1, "step": 2, "cosine": 3, "one_cycle": 4}
CORNERS = {"bottom_right": 0, "bottom_left": 1, "top_right": 2, "top_left": 3}
POISONS = {"all": 0, "only": 1, "stamp": 2}

PROTOTYPES = {
    # version.h
    "iscp_version": (c_uint32, ()),
    "iscp_version_text": (c_char_p, ()),
    "iscp_abi_sizeof": (c_uint32, (c_char_p,)),
    # status.h
    "iscp_error_message": (c_char_p, ()),
    "iscp_status_name": (c_char_p, (iscp_status,)),
    # context.h
    "iscp_context_options_init": (iscp_status, (POINTER(iscp_context_options), c_uint32)),
    "iscp_context_create": (iscp_status, (POINTER(POINTER(iscp_context)), POINTER(iscp_context_options))),
    "iscp_context_destroy": (None, (POINTER(iscp_context),)),
    "iscp_context_backend": (c_int32, (POINTER(iscp_context),)),
    "iscp_context_threads": (c_int32, (POINTER(iscp_context),)),
    "iscp_context_memory": (c_int64, (POINTER(iscp_context),)),
    "iscp_context_convolutions": (c_int32, (POINTER(iscp_context),)),
    "iscp_context_precision": (c_int32, (POINTER(iscp_context),)),
    "iscp_context_kernels": (c_char_p, (POINTER(iscp_context),)),
    # contract.h
    "iscp_contract_init": (iscp_status, (POINTER(iscp_contract), c_uint32)),
    "iscp_contract_preset": (iscp_status, (POINTER(iscp_contract), c_char_p)),
    "iscp_contract_preset_name": (c_char_p, (c_int32,)),
    "iscp_contract_preset_summary": (c_char_p, (c_int32,)),
    "iscp_contract_validate": (iscp_status, (POINTER(iscp_contract),)),
    "iscp_contract_read": (iscp_status, (POINTER(iscp_contract), POINTER(iscp_context), c_char_p)),
    "iscp_contract_write": (
        iscp_status,
        (POINTER(iscp_contract), POINTER(iscp_context), c_char_p, POINTER(c_char_p), c_int32),
    ),
    # dataset.h
    "iscp_dataset_options_init": (iscp_status, (POINTER(iscp_dataset_options), c_uint32)),
    "iscp_dataset_open": (
        iscp_status,
        (POINTER(POINTER(iscp_dataset)), POINTER(iscp_context), c_char_p, POINTER(iscp_dataset_options)),
    ),
    "iscp_dataset_from_memory": (
        iscp_status,
        (
            POINTER(POINTER(iscp_dataset)),
            POINTER(iscp_context),
            POINTER(c_uint8),
            POINTER(c_int32),
            c_int64,
            c_int32,
            c_int32,
            c_int32,
            POINTER(iscp_dataset_options),
        ),
    ),
    "iscp_dataset_destroy": (None, (POINTER(iscp_dataset),)),
    "iscp_dataset_count": (c_int64, (POINTER(iscp_dataset),)),
    "iscp_dataset_classes": (c_int32, (POINTER(iscp_dataset),)),
    "iscp_dataset_label": (c_int32, (POINTER(iscp_dataset), c_int64)),
    "iscp_dataset_contract": (POINTER(iscp_contract), (POINTER(iscp_dataset),)),
    "iscp_dataset_class_name": (c_char_p, (POINTER(iscp_dataset), c_int32)),
    "iscp_dataset_image": (iscp_status, (POINTER(iscp_dataset), c_int64, POINTER(c_float))),
    "iscp_dataset_hash": (c_char_p, (POINTER(iscp_dataset),)),
    "iscp_dataset_broken_count": (c_int64, (POINTER(iscp_dataset),)),
    "iscp_dataset_broken_name": (c_char_p, (POINTER(iscp_dataset), c_int64)),
    "iscp_dataset_broken_reason": (c_char_p, (POINTER(iscp_dataset), c_int64)),
    "iscp_dataset_get_info": (iscp_status, (POINTER(iscp_dataset), POINTER(iscp_dataset_info))),
    "iscp_image_read": (iscp_status, (POINTER(c_float), POINTER(iscp_context), c_char_p, POINTER(iscp_contract))),
    # model.h
    "iscp_model_options_init": (iscp_status, (POINTER(iscp_model_options), c_uint32)),
    "iscp_model_load": (
        iscp_status,
        (POINTER(POINTER(iscp_model)), POINTER(iscp_context), c_char_p, POINTER(iscp_model_options)),
    ),
    "iscp_model_read_contract": (
        iscp_status,
        (POINTER(iscp_contract), c_char_p, c_int32, POINTER(iscp_context), c_char_p, c_char_p),
    ),
    "iscp_model_create": (
        iscp_status,
        (
            POINTER(POINTER(iscp_model)),
            POINTER(iscp_context),
            POINTER(iscp_model_info),
            POINTER(iscp_model_options),
            c_uint64,
        ),
    ),
    "iscp_model_save": (iscp_status, (POINTER(iscp_model), c_char_p, c_int32)),
    "iscp_model_destroy": (None, (POINTER(iscp_model),)),
    "iscp_model_get_info": (iscp_status, (POINTER(iscp_model), POINTER(iscp_model_info))),
    "iscp_model_context": (POINTER(iscp_context), (POINTER(iscp_model),)),
    "iscp_model_contract": (POINTER(iscp_contract), (POINTER(iscp_model),)),
    "iscp_model_contract_source": (c_char_p, (POINTER(iscp_model),)),
    "iscp_model_source": (c_char_p, (POINTER(iscp_model),)),
    "iscp_model_class_name": (c_char_p, (POINTER(iscp_model), c_int32)),
    "iscp_model_hash": (c_char_p, (POINTER(iscp_model),)),
    "iscp_session_create": (iscp_status, (POINTER(POINTER(iscp_session)), POINTER(iscp_model), c_int32, c_int32)),
    "iscp_session_foretell": (iscp_status, (POINTER(c_int64), POINTER(iscp_model), c_int32, c_int32)),
    "iscp_session_destroy": (None, (POINTER(iscp_session),)),
    "iscp_session_memory": (c_int64, (POINTER(iscp_session),)),
    "iscp_session_logits": (iscp_status, (POINTER(iscp_session), POINTER(c_float), c_int64, POINTER(c_float))),
    "iscp_session_input_gradient": (
        iscp_status,
        (
            POINTER(iscp_session),
            POINTER(c_float),
            POINTER(c_int32),
            c_int64,
            POINTER(c_float),
            POINTER(c_float),
            POINTER(c_float),
        ),
    ),
    # attack.h
    "iscp_attack_options_init": (iscp_status, (POINTER(iscp_attack_options), c_uint32)),
    "iscp_attack_create": (
        iscp_status,
        (POINTER(POINTER(iscp_attack)), POINTER(iscp_model), POINTER(iscp_attack_options)),
    ),
    "iscp_attack_destroy": (None, (POINTER(iscp_attack),)),
    "iscp_attack_get_options": (iscp_status, (POINTER(iscp_attack), POINTER(iscp_attack_options))),
    "iscp_attack_run": (
        iscp_status,
        (POINTER(c_float), POINTER(iscp_attack), POINTER(c_float), POINTER(c_int32), POINTER(c_int64), c_int64),
    ),
    "iscp_attack_accuracy": (
        iscp_status,
        (POINTER(iscp_attack_info), POINTER(iscp_attack), POINTER(iscp_dataset), iscp_progress_fn, c_void_p),
    ),
    # check.h
    "iscp_check_options_init": (iscp_status, (POINTER(iscp_check_options), c_uint32)),
    "iscp_check_create": (
        iscp_status,
        (
            POINTER(POINTER(iscp_check)),
            POINTER(iscp_model),
            POINTER(iscp_dataset),
            POINTER(iscp_check_options),
            iscp_progress_fn,
            c_void_p,
        ),
    ),
    "iscp_check_destroy": (None, (POINTER(iscp_check),)),
    "iscp_check_get_info": (iscp_status, (POINTER(iscp_check), POINTER(iscp_check_info))),
    "iscp_check_get_class": (iscp_status, (POINTER(iscp_check), c_int32, POINTER(iscp_check_class))),
    "iscp_check_confusion": (iscp_status, (POINTER(iscp_check), c_int32, POINTER(iscp_confusion))),
    "iscp_check_cause": (iscp_status, (POINTER(iscp_check), c_int32, POINTER(iscp_cause))),
    # pattern.h
    "iscp_pattern_create": (
        iscp_status,
        (
            POINTER(POINTER(iscp_pattern)),
            POINTER(iscp_context),
            POINTER(c_float),
            POINTER(c_int32),
            POINTER(c_float),
            c_int32,
            c_int32,
            c_int32,
            c_int32,
            c_int32,
            c_double,
            c_int32,
        ),
    ),
    "iscp_pattern_create_add": (
        iscp_status,
        (POINTER(POINTER(iscp_pattern)), POINTER(iscp_context), POINTER(c_float), c_int32, c_int32, c_int32, c_int32),
    ),
    "iscp_pattern_destroy": (None, (POINTER(iscp_pattern),)),
    "iscp_pattern_get_info": (iscp_status, (POINTER(iscp_pattern), POINTER(iscp_pattern_info))),
    "iscp_pattern_positions": (POINTER(c_int32), (POINTER(iscp_pattern),)),
    "iscp_pattern_values": (POINTER(c_float), (POINTER(iscp_pattern),)),
    "iscp_pattern_attach": (iscp_status, (POINTER(iscp_pattern), POINTER(c_float))),
    "iscp_pattern_overlap": (iscp_status, (POINTER(iscp_pattern), POINTER(iscp_pattern), POINTER(c_double))),
    # evaluate.h
    "iscp_evaluate_options_init": (iscp_status, (POINTER(iscp_evaluate_options), c_uint32)),
    "iscp_evaluation_create": (
        iscp_status,
        (
            POINTER(POINTER(iscp_evaluation)),
            POINTER(iscp_model),
            POINTER(iscp_dataset),
            POINTER(iscp_evaluate_options),
            iscp_progress_fn,
            c_void_p,
        ),
    ),
    "iscp_evaluation_destroy": (None, (POINTER(iscp_evaluation),)),
    "iscp_evaluation_accuracy": (iscp_status, (POINTER(iscp_evaluation), POINTER(c_double), POINTER(c_int64))),
    "iscp_evaluation_power": (
        iscp_status,
        (POINTER(iscp_evaluation), POINTER(iscp_pattern), POINTER(iscp_power), iscp_progress_fn, c_void_p),
    ),
    "iscp_evaluation_powers": (
        iscp_status,
        (
            POINTER(iscp_evaluation),
            POINTER(POINTER(iscp_pattern)),
            c_int32,
            POINTER(iscp_power),
            iscp_progress_fn,
            c_void_p,
        ),
    ),
    "iscp_transfer_rates": (iscp_status, (POINTER(c_double), POINTER(c_double), c_int32)),
    "iscp_mean_std": (iscp_status, (POINTER(c_double), c_int64, POINTER(c_double), POINTER(c_double))),
    # explain.h
    "iscp_gradcam_options_init": (iscp_status, (POINTER(iscp_gradcam_options), c_uint32)),
    "iscp_gradcam_create": (
        iscp_status,
        (POINTER(POINTER(iscp_gradcam)), POINTER(iscp_model), POINTER(iscp_gradcam_options)),
    ),
    "iscp_gradcam_destroy": (None, (POINTER(iscp_gradcam),)),
    "iscp_gradcam_map": (
        iscp_status,
        (POINTER(c_float), POINTER(iscp_gradcam_info), POINTER(iscp_gradcam), POINTER(c_float), c_int32),
    ),
    "iscp_gradcam_pattern": (
        iscp_status,
        (POINTER(POINTER(iscp_pattern)), POINTER(iscp_gradcam), POINTER(c_float), c_int32, c_int32, c_double),
    ),
    "iscp_gradcam_shift": (
        iscp_status,
        (
            POINTER(iscp_attention_shift),
            POINTER(c_float),
            POINTER(c_float),
            POINTER(iscp_gradcam),
            POINTER(c_float),
            POINTER(iscp_pattern),
        ),
    ),
    "iscp_uap_options_init": (iscp_status, (POINTER(iscp_uap_options), c_uint32)),
    "iscp_uap_create": (
        iscp_status,
        (POINTER(POINTER(iscp_uap)), POINTER(iscp_model), POINTER(iscp_dataset), c_int32, POINTER(iscp_uap_options)),
    ),
    "iscp_uap_destroy": (None, (POINTER(iscp_uap),)),
    "iscp_uap_run": (iscp_status, (POINTER(iscp_uap), iscp_progress_fn, c_void_p)),
    "iscp_uap_get_options": (iscp_status, (POINTER(iscp_uap), POINTER(iscp_uap_options))),
    "iscp_uap_get_info": (iscp_status, (POINTER(iscp_uap), POINTER(iscp_uap_info))),
    "iscp_uap_perturbation": (POINTER(c_float), (POINTER(iscp_uap),)),
    "iscp_uap_pattern": (iscp_status, (POINTER(POINTER(iscp_pattern)), POINTER(iscp_uap), c_double)),
    # fields.h
    "iscp_fields_struct": (c_char_p, (c_int32,)),
    "iscp_fields_of": (POINTER(iscp_fields), (c_char_p,)),
    "iscp_fields_count": (c_int32, (POINTER(iscp_fields),)),
    "iscp_fields_get": (iscp_status, (POINTER(iscp_field), POINTER(iscp_fields), c_int32)),
    "iscp_fields_word": (c_char_p, (POINTER(c_int32), POINTER(iscp_fields), c_int32, c_int32)),
    # invert.h
    "iscp_invert_options_init": (iscp_status, (POINTER(iscp_invert_options), c_uint32)),
    "iscp_inversion_create": (
        iscp_status,
        (POINTER(POINTER(iscp_inversion)), POINTER(iscp_model), POINTER(iscp_dataset), POINTER(iscp_invert_options)),
    ),
    "iscp_inversion_destroy": (None, (POINTER(iscp_inversion),)),
    "iscp_inversion_next": (iscp_status, (POINTER(iscp_inversion), iscp_progress_fn, c_void_p)),
    "iscp_inversion_get": (iscp_status, (POINTER(iscp_inverted), POINTER(iscp_inversion), c_int32)),
    "iscp_inversion_get_options": (iscp_status, (POINTER(iscp_inversion), POINTER(iscp_invert_options))),
    "iscp_inversion_get_info": (iscp_status, (POINTER(iscp_inversion), POINTER(iscp_invert_info))),
    # search.h
    "iscp_search_options_init": (iscp_status, (POINTER(iscp_search_options), c_uint32)),
    "iscp_search_options_resolve": (iscp_status, (POINTER(iscp_search_options),)),
    "iscp_search_create": (
        iscp_status,
        (POINTER(POINTER(iscp_search)), POINTER(iscp_model), POINTER(iscp_dataset), POINTER(iscp_search_options)),
    ),
    "iscp_search_destroy": (None, (POINTER(iscp_search),)),
    "iscp_search_next": (iscp_status, (POINTER(iscp_search), POINTER(c_int32), iscp_progress_fn, c_void_p)),
    "iscp_search_step": (
        iscp_status,
        (POINTER(iscp_search), POINTER(c_int32), POINTER(c_int32), iscp_progress_fn, c_void_p),
    ),
    "iscp_search_skip": (iscp_status, (POINTER(iscp_search), c_int32)),
    "iscp_search_get_options": (iscp_status, (POINTER(iscp_search), POINTER(iscp_search_options))),
    "iscp_search_canvas_count": (c_int32, (POINTER(iscp_search), c_int32)),
    "iscp_search_selected": (c_int32, (POINTER(iscp_search), c_int32)),
    "iscp_search_get_canvas": (iscp_status, (POINTER(iscp_search), c_int32, c_int32, POINTER(iscp_canvas_result))),
    "iscp_search_mask": (POINTER(c_float), (POINTER(iscp_search), c_int32, c_int32)),
    "iscp_search_evidence": (POINTER(c_int32), (POINTER(iscp_search), c_int32, c_int32)),
    "iscp_search_canvas": (POINTER(c_float), (POINTER(iscp_search), c_int32, c_int32)),
    "iscp_search_epochs": (POINTER(c_double), (POINTER(iscp_search), c_int32, c_int32)),
    "iscp_search_pattern": (
        iscp_status,
        (POINTER(POINTER(iscp_pattern)), POINTER(iscp_search), c_int32, c_int32, c_int32, c_double),
    ),
    # report.h
    "iscp_report_options_init": (iscp_status, (POINTER(iscp_report_options), c_uint32)),
    "iscp_report_create": (
        iscp_status,
        (
            POINTER(POINTER(iscp_report)),
            c_char_p,
            POINTER(iscp_model),
            POINTER(iscp_dataset),
            POINTER(iscp_search_options),
            POINTER(iscp_report_options),
        ),
    ),
    "iscp_report_destroy": (None, (POINTER(iscp_report),)),
    "iscp_report_has_class": (c_int32, (POINTER(iscp_report), c_int32)),
    "iscp_report_add": (iscp_status, (POINTER(iscp_report), POINTER(iscp_search), c_int32, POINTER(iscp_power))),
    "iscp_pattern_list_load": (iscp_status, (POINTER(POINTER(iscp_pattern_list)), POINTER(iscp_context), c_char_p)),
    "iscp_pattern_list_destroy": (None, (POINTER(iscp_pattern_list),)),
    "iscp_pattern_list_count": (c_int32, (POINTER(iscp_pattern_list),)),
    "iscp_pattern_list_entry": (iscp_status, (POINTER(iscp_pattern_list), c_int32, POINTER(c_int32), POINTER(c_int32))),
    "iscp_pattern_list_class_name": (c_char_p, (POINTER(iscp_pattern_list), c_int32)),
    "iscp_pattern_list_canvas": (iscp_status, (POINTER(iscp_pattern_list), c_int32, POINTER(iscp_canvas_result))),
    "iscp_pattern_list_power_count": (c_int32, (POINTER(iscp_pattern_list), c_int32)),
    "iscp_pattern_list_power": (
        iscp_status,
        (POINTER(iscp_pattern_list), c_int32, c_int32, POINTER(c_double), POINTER(iscp_power)),
    ),
    "iscp_pattern_list_cut": (
        iscp_status,
        (POINTER(POINTER(iscp_pattern)), POINTER(iscp_pattern_list), c_int32, c_int32, c_double),
    ),
    "iscp_pattern_list_draw": (iscp_status, (POINTER(iscp_pattern_list), POINTER(c_double), POINTER(c_uint64))),
    "iscp_pattern_list_plan": (iscp_status, (POINTER(iscp_pattern_list), POINTER(c_int32), POINTER(c_int32))),
    "iscp_pattern_write_png": (iscp_status, (POINTER(iscp_pattern), c_char_p, c_int32)),
    "iscp_pattern_encode_png": (
        iscp_status,
        (POINTER(c_int64), POINTER(iscp_pattern), c_int32, POINTER(c_uint8), c_int64),
    ),
    "iscp_image_write_png": (
        iscp_status,
        (POINTER(iscp_context), POINTER(c_float), c_int32, c_int32, c_int32, c_char_p, c_int32),
    ),
    "iscp_image_encode_png": (
        iscp_status,
        (
            POINTER(c_int64),
            POINTER(iscp_context),
            POINTER(c_float),
            c_int32,
            c_int32,
            c_int32,
            c_int32,
            POINTER(c_uint8),
            c_int64,
        ),
    ),
    "iscp_heat_overlay": (
        iscp_status,
        (POINTER(c_float), POINTER(c_float), POINTER(c_float), c_int32, c_int32, c_int32, c_double),
    ),
    # run.h
    "iscp_run_options_init": (iscp_status, (POINTER(iscp_run_options), c_uint32)),
    "iscp_run_create": (
        iscp_status,
        (POINTER(POINTER(iscp_run)), c_char_p, POINTER(iscp_model), POINTER(iscp_dataset), POINTER(iscp_run_options)),
    ),
    "iscp_run_destroy": (None, (POINTER(iscp_run),)),
    "iscp_run_next": (iscp_status, (POINTER(iscp_run), POINTER(c_int32), iscp_progress_fn, c_void_p)),
    "iscp_run_step": (iscp_status, (POINTER(iscp_run), POINTER(c_int32), POINTER(c_int32), iscp_progress_fn, c_void_p)),
    "iscp_run_get_info": (iscp_status, (POINTER(iscp_run), POINTER(iscp_run_info))),
    "iscp_run_search": (POINTER(iscp_search), (POINTER(iscp_run),)),
    # train.h
    "iscp_train_options_init": (iscp_status, (POINTER(iscp_train_options), c_uint32)),
    "iscp_trainer_create": (
        iscp_status,
        (POINTER(POINTER(iscp_trainer)), POINTER(iscp_model), POINTER(iscp_dataset), POINTER(iscp_train_options)),
    ),
    "iscp_trainer_destroy": (None, (POINTER(iscp_trainer),)),
    "iscp_trainer_epoch": (iscp_status, (POINTER(iscp_trainer), iscp_progress_fn, c_void_p)),
    "iscp_trainer_get_state": (iscp_status, (POINTER(iscp_trainer), POINTER(iscp_train_state))),
    "iscp_trainer_model": (iscp_status, (POINTER(POINTER(iscp_model)), POINTER(iscp_trainer))),
    "iscp_trainer_save": (iscp_status, (POINTER(iscp_trainer), c_char_p)),
    "iscp_trainer_resume": (iscp_status, (POINTER(iscp_trainer), c_char_p)),
    # trigger.h
    "iscp_trigger_options_init": (iscp_status, (POINTER(iscp_trigger_options), c_uint32)),
    "iscp_trigger_create": (
        iscp_status,
        (POINTER(POINTER(iscp_trigger)), POINTER(iscp_context), c_char_p, POINTER(iscp_trigger_options)),
    ),
    "iscp_trigger_destroy": (None, (POINTER(iscp_trigger),)),
    "iscp_trigger_get_info": (iscp_status, (POINTER(iscp_trigger), POINTER(iscp_trigger_info))),
    "iscp_trigger_pixels": (POINTER(c_uint8), (POINTER(iscp_trigger),)),
    "iscp_trigger_pattern": (
        iscp_status,
        (
            POINTER(POINTER(iscp_pattern)),
            POINTER(iscp_trigger),
            POINTER(iscp_contract),
            c_int32,
            c_int32,
            c_int32,
            c_int32,
        ),
    ),
    "iscp_poison_options_init": (iscp_status, (POINTER(iscp_poison_options), c_uint32)),
    "iscp_dataset_poison": (
        iscp_status,
        (POINTER(POINTER(iscp_dataset)), POINTER(iscp_dataset), POINTER(iscp_trigger), POINTER(iscp_poison_options)),
    ),
    "iscp_dataset_poisoned": (c_int32, (POINTER(iscp_dataset), c_int64)),
}
