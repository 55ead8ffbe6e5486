"""Arguments and results of every function of include/iscp/*.h. A test compares the table with the headers."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_uint8, c_uint32, c_uint64, c_void_p

from . import _errors
from ._opaque import (
    iscp_attack,
    iscp_check,
    iscp_context,
    iscp_dataset,
    iscp_evaluation,
    iscp_gradcam,
    iscp_inversion,
    iscp_model,
    iscp_pattern,
    iscp_pattern_list,
    iscp_report,
    iscp_run,
    iscp_search,
    iscp_session,
    iscp_trainer,
    iscp_trigger,
    iscp_uap,
)
from ._structs import (
    iscp_attack_info,
    iscp_attack_options,
    iscp_attention_shift,
    iscp_canvas_result,
    iscp_cause,
    iscp_check_class,
    iscp_check_info,
    iscp_check_options,
    iscp_confusion,
    iscp_context_options,
    iscp_contract,
    iscp_dataset_info,
    iscp_dataset_options,
    iscp_evaluate_options,
    iscp_gradcam_info,
    iscp_gradcam_options,
    iscp_invert_info,
    iscp_invert_options,
    iscp_inverted,
    iscp_model_info,
    iscp_model_options,
    iscp_pattern_info,
    iscp_poison_options,
    iscp_power,
    iscp_progress_fn,
    iscp_report_options,
    iscp_run_info,
    iscp_run_options,
    iscp_search_options,
    iscp_status,
    iscp_train_options,
    iscp_train_state,
    iscp_trigger_info,
    iscp_trigger_options,
    iscp_uap_info,
    iscp_uap_options,
)

_context = POINTER(iscp_context)
_contract = POINTER(iscp_contract)
_model = POINTER(iscp_model)
_session = POINTER(iscp_session)
_dataset = POINTER(iscp_dataset)
_pattern = POINTER(iscp_pattern)
_search = POINTER(iscp_search)
_evaluation = POINTER(iscp_evaluation)
_check = POINTER(iscp_check)
_gradcam = POINTER(iscp_gradcam)
_uap = POINTER(iscp_uap)
_attack = POINTER(iscp_attack)
_report = POINTER(iscp_report)
_run = POINTER(iscp_run)
_pattern_list = POINTER(iscp_pattern_list)
_trainer = POINTER(iscp_trainer)
_inversion = POINTER(iscp_inversion)
_trigger = POINTER(iscp_trigger)
_float = POINTER(c_float)
_double = POINTER(c_double)
_int32 = POINTER(c_int32)
_int64 = POINTER(c_int64)
_progress = (iscp_progress_fn, c_void_p)

PROTOTYPES = {
    # version.h, status.h
    "iscp_version": (c_uint32, ()),
    "iscp_version_text": (c_char_p, ()),
    "iscp_abi_sizeof": (c_uint32, (c_char_p,)),
    "iscp_error_message": (c_char_p, ()),
    "iscp_status_name": (c_char_p, (iscp_status,)),
    # context.h, contract.h
    "iscp_context_options_init": (iscp_status, (POINTER(iscp_context_options), c_uint32)),
    "iscp_context_create": (iscp_status, (POINTER(_context), POINTER(iscp_context_options))),
    "iscp_context_destroy": (None, (_context,)),
    "iscp_context_backend": (c_int32, (_context,)),
    "iscp_context_threads": (c_int32, (_context,)),
    "iscp_context_memory": (c_int64, (_context,)),
    "iscp_context_convolutions": (c_int32, (_context,)),
    "iscp_context_precision": (c_int32, (_context,)),
    "iscp_context_kernels": (c_char_p, (_context,)),
    "iscp_contract_init": (iscp_status, (_contract, c_uint32)),
    "iscp_contract_preset": (iscp_status, (_contract, c_char_p)),
    "iscp_contract_preset_name": (c_char_p, (c_int32,)),
    "iscp_contract_preset_summary": (c_char_p, (c_int32,)),
    "iscp_contract_validate": (iscp_status, (_contract,)),
    "iscp_contract_read": (iscp_status, (_contract, _context, c_char_p)),
    "iscp_contract_write": (iscp_status, (_contract, _context, c_char_p, POINTER(c_char_p), c_int32)),
    # model.h
    "iscp_model_options_init": (iscp_status, (POINTER(iscp_model_options), c_uint32)),
    "iscp_model_load": (iscp_status, (POINTER(_model), _context, c_char_p, POINTER(iscp_model_options))),
    "iscp_model_read_contract": (
        iscp_status,
        (_contract, c_char_p, c_int32, _context, c_char_p, c_char_p),
    ),
    "iscp_model_create": (
        iscp_status,
        (POINTER(_model), _context, POINTER(iscp_model_info), POINTER(iscp_model_options), c_uint64),
    ),
    "iscp_model_save": (iscp_status, (_model, c_char_p, c_int32)),
    "iscp_model_destroy": (None, (_model,)),
    "iscp_model_get_info": (iscp_status, (_model, POINTER(iscp_model_info))),
    "iscp_model_contract": (_contract, (_model,)),
    "iscp_model_contract_source": (c_char_p, (_model,)),
    "iscp_model_source": (c_char_p, (_model,)),
    "iscp_model_class_name": (c_char_p, (_model, c_int32)),
    "iscp_model_hash": (c_char_p, (_model,)),
    "iscp_model_context": (_context, (_model,)),
    "iscp_session_create": (iscp_status, (POINTER(_session), _model, c_int32, c_int32)),
    "iscp_session_foretell": (iscp_status, (_int64, _model, c_int32, c_int32)),
    "iscp_session_destroy": (None, (_session,)),
    "iscp_session_memory": (c_int64, (_session,)),
    "iscp_session_logits": (iscp_status, (_session, _float, c_int64, _float)),
    "iscp_session_input_gradient": (iscp_status, (_session, _float, _int32, c_int64, _float, _float, _float)),
    # dataset.h
    "iscp_dataset_options_init": (iscp_status, (POINTER(iscp_dataset_options), c_uint32)),
    "iscp_dataset_open": (iscp_status, (POINTER(_dataset), _context, c_char_p, POINTER(iscp_dataset_options))),
    "iscp_dataset_from_memory": (
        iscp_status,
        (
            POINTER(_dataset),
            _context,
            POINTER(c_uint8),
            _int32,
            c_int64,
            c_int32,
            c_int32,
            c_int32,
            POINTER(iscp_dataset_options),
        ),
    ),
    "iscp_dataset_destroy": (None, (_dataset,)),
    "iscp_dataset_count": (c_int64, (_dataset,)),
    "iscp_dataset_classes": (c_int32, (_dataset,)),
    "iscp_dataset_label": (c_int32, (_dataset, c_int64)),
    "iscp_dataset_contract": (_contract, (_dataset,)),
    "iscp_dataset_class_name": (c_char_p, (_dataset, c_int32)),
    "iscp_dataset_image": (iscp_status, (_dataset, c_int64, _float)),
    "iscp_dataset_hash": (c_char_p, (_dataset,)),
    "iscp_dataset_broken_count": (c_int64, (_dataset,)),
    "iscp_dataset_broken_name": (c_char_p, (_dataset, c_int64)),
    "iscp_dataset_broken_reason": (c_char_p, (_dataset, c_int64)),
    "iscp_dataset_get_info": (iscp_status, (_dataset, POINTER(iscp_dataset_info))),
    "iscp_image_read": (iscp_status, (_float, _context, c_char_p, _contract)),
    # pattern.h
    "iscp_pattern_create": (
        iscp_status,
        (
            POINTER(_pattern),
            _context,
            _float,
            _int32,
            _float,
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
        (POINTER(_pattern), _context, _float, c_int32, c_int32, c_int32, c_int32),
    ),
    "iscp_pattern_destroy": (None, (_pattern,)),
    "iscp_pattern_get_info": (iscp_status, (_pattern, POINTER(iscp_pattern_info))),
    "iscp_pattern_positions": (_int32, (_pattern,)),
    "iscp_pattern_values": (_float, (_pattern,)),
    "iscp_pattern_attach": (iscp_status, (_pattern, _float)),
    "iscp_pattern_overlap": (iscp_status, (_pattern, _pattern, _double)),
    # trigger.h
    "iscp_trigger_options_init": (iscp_status, (POINTER(iscp_trigger_options), c_uint32)),
    "iscp_trigger_create": (iscp_status, (POINTER(_trigger), _context, c_char_p, POINTER(iscp_trigger_options))),
    "iscp_trigger_destroy": (None, (_trigger,)),
    "iscp_trigger_get_info": (iscp_status, (_trigger, POINTER(iscp_trigger_info))),
    "iscp_trigger_pixels": (POINTER(c_uint8), (_trigger,)),
    "iscp_trigger_pattern": (
        iscp_status,
        (POINTER(_pattern), _trigger, _contract, c_int32, c_int32, c_int32, c_int32),
    ),
    "iscp_poison_options_init": (iscp_status, (POINTER(iscp_poison_options), c_uint32)),
    "iscp_dataset_poison": (iscp_status, (POINTER(_dataset), _dataset, _trigger, POINTER(iscp_poison_options))),
    "iscp_dataset_poisoned": (c_int32, (_dataset, c_int64)),
    # search.h
    "iscp_search_options_init": (iscp_status, (POINTER(iscp_search_options), c_uint32)),
    "iscp_search_options_resolve": (iscp_status, (POINTER(iscp_search_options),)),
    "iscp_search_create": (iscp_status, (POINTER(_search), _model, _dataset, POINTER(iscp_search_options))),
    "iscp_search_destroy": (None, (_search,)),
    "iscp_search_skip": (iscp_status, (_search, c_int32)),
    "iscp_search_get_options": (iscp_status, (_search, POINTER(iscp_search_options))),
    "iscp_search_next": (iscp_status, (_search, _int32, *_progress)),
    "iscp_search_step": (iscp_status, (_search, _int32, _int32, *_progress)),
    "iscp_search_canvas_count": (c_int32, (_search, c_int32)),
    "iscp_search_selected": (c_int32, (_search, c_int32)),
    "iscp_search_get_canvas": (iscp_status, (_search, c_int32, c_int32, POINTER(iscp_canvas_result))),
    "iscp_search_mask": (_float, (_search, c_int32, c_int32)),
    "iscp_search_evidence": (_int32, (_search, c_int32, c_int32)),
    "iscp_search_canvas": (_float, (_search, c_int32, c_int32)),
    "iscp_search_epochs": (_double, (_search, c_int32, c_int32)),
    "iscp_search_pattern": (iscp_status, (POINTER(_pattern), _search, c_int32, c_int32, c_int32, c_double)),
    # evaluate.h
    "iscp_evaluate_options_init": (iscp_status, (POINTER(iscp_evaluate_options), c_uint32)),
    "iscp_evaluation_create": (
        iscp_status,
        (POINTER(_evaluation), _model, _dataset, POINTER(iscp_evaluate_options), *_progress),
    ),
    "iscp_evaluation_destroy": (None, (_evaluation,)),
    "iscp_evaluation_accuracy": (iscp_status, (_evaluation, _double, _int64)),
    "iscp_evaluation_power": (iscp_status, (_evaluation, _pattern, POINTER(iscp_power), *_progress)),
    "iscp_evaluation_powers": (
        iscp_status,
        (_evaluation, POINTER(_pattern), c_int32, POINTER(iscp_power), *_progress),
    ),
    "iscp_transfer_rates": (iscp_status, (_double, _double, c_int32)),
    "iscp_mean_std": (iscp_status, (_double, c_int64, _double, _double)),
    # check.h
    "iscp_check_options_init": (iscp_status, (POINTER(iscp_check_options), c_uint32)),
    "iscp_check_create": (
        iscp_status,
        (POINTER(_check), _model, _dataset, POINTER(iscp_check_options), *_progress),
    ),
    "iscp_check_destroy": (None, (_check,)),
    "iscp_check_get_info": (iscp_status, (_check, POINTER(iscp_check_info))),
    "iscp_check_get_class": (iscp_status, (_check, c_int32, POINTER(iscp_check_class))),
    "iscp_check_confusion": (iscp_status, (_check, c_int32, POINTER(iscp_confusion))),
    "iscp_check_cause": (iscp_status, (_check, c_int32, POINTER(iscp_cause))),
    # invert.h
    "iscp_invert_options_init": (iscp_status, (POINTER(iscp_invert_options), c_uint32)),
    "iscp_inversion_create": (iscp_status, (POINTER(_inversion), _model, _dataset, POINTER(iscp_invert_options))),
    "iscp_inversion_destroy": (None, (_inversion,)),
    "iscp_inversion_next": (iscp_status, (_inversion, *_progress)),
    "iscp_inversion_get": (iscp_status, (POINTER(iscp_inverted), _inversion, c_int32)),
    "iscp_inversion_get_options": (iscp_status, (_inversion, POINTER(iscp_invert_options))),
    "iscp_inversion_get_info": (iscp_status, (_inversion, POINTER(iscp_invert_info))),
    # train.h
    "iscp_train_options_init": (iscp_status, (POINTER(iscp_train_options), c_uint32)),
    "iscp_trainer_create": (iscp_status, (POINTER(_trainer), _model, _dataset, POINTER(iscp_train_options))),
    "iscp_trainer_destroy": (None, (_trainer,)),
    "iscp_trainer_epoch": (iscp_status, (_trainer, *_progress)),
    "iscp_trainer_get_state": (iscp_status, (_trainer, POINTER(iscp_train_state))),
    "iscp_trainer_model": (iscp_status, (POINTER(_model), _trainer)),
    "iscp_trainer_save": (iscp_status, (_trainer, c_char_p)),
    "iscp_trainer_resume": (iscp_status, (_trainer, c_char_p)),
    # explain.h
    "iscp_gradcam_options_init": (iscp_status, (POINTER(iscp_gradcam_options), c_uint32)),
    "iscp_gradcam_create": (iscp_status, (POINTER(_gradcam), _model, POINTER(iscp_gradcam_options))),
    "iscp_gradcam_destroy": (None, (_gradcam,)),
    "iscp_gradcam_map": (iscp_status, (_float, POINTER(iscp_gradcam_info), _gradcam, _float, c_int32)),
    "iscp_gradcam_pattern": (iscp_status, (POINTER(_pattern), _gradcam, _float, c_int32, c_int32, c_double)),
    "iscp_gradcam_shift": (
        iscp_status,
        (POINTER(iscp_attention_shift), _float, _float, _gradcam, _float, _pattern),
    ),
    # explain.h
    "iscp_uap_options_init": (iscp_status, (POINTER(iscp_uap_options), c_uint32)),
    "iscp_uap_create": (iscp_status, (POINTER(_uap), _model, _dataset, c_int32, POINTER(iscp_uap_options))),
    "iscp_uap_destroy": (None, (_uap,)),
    "iscp_uap_run": (iscp_status, (_uap, *_progress)),
    "iscp_uap_get_options": (iscp_status, (_uap, POINTER(iscp_uap_options))),
    "iscp_uap_get_info": (iscp_status, (_uap, POINTER(iscp_uap_info))),
    "iscp_uap_perturbation": (_float, (_uap,)),
    "iscp_uap_pattern": (iscp_status, (POINTER(_pattern), _uap, c_double)),
    # attack.h
    "iscp_attack_options_init": (iscp_status, (POINTER(iscp_attack_options), c_uint32)),
    "iscp_attack_create": (iscp_status, (POINTER(_attack), _model, POINTER(iscp_attack_options))),
    "iscp_attack_destroy": (None, (_attack,)),
    "iscp_attack_get_options": (iscp_status, (_attack, POINTER(iscp_attack_options))),
    "iscp_attack_run": (iscp_status, (_float, _attack, _float, _int32, _int64, c_int64)),
    "iscp_attack_accuracy": (iscp_status, (POINTER(iscp_attack_info), _attack, _dataset, *_progress)),
    # report.h
    "iscp_report_options_init": (iscp_status, (POINTER(iscp_report_options), c_uint32)),
    "iscp_report_create": (
        iscp_status,
        (POINTER(_report), c_char_p, _model, _dataset, POINTER(iscp_search_options), POINTER(iscp_report_options)),
    ),
    "iscp_report_destroy": (None, (_report,)),
    "iscp_report_has_class": (c_int32, (_report, c_int32)),
    "iscp_report_add": (iscp_status, (_report, _search, c_int32, POINTER(iscp_power))),
    "iscp_run_options_init": (iscp_status, (POINTER(iscp_run_options), c_uint32)),
    "iscp_run_create": (iscp_status, (POINTER(_run), c_char_p, _model, _dataset, POINTER(iscp_run_options))),
    "iscp_run_destroy": (None, (_run,)),
    "iscp_run_next": (iscp_status, (_run, _int32, *_progress)),
    "iscp_run_step": (iscp_status, (_run, _int32, _int32, *_progress)),
    "iscp_run_get_info": (iscp_status, (_run, POINTER(iscp_run_info))),
    "iscp_run_search": (_search, (_run,)),
    "iscp_pattern_list_load": (iscp_status, (POINTER(_pattern_list), _context, c_char_p)),
    "iscp_pattern_list_destroy": (None, (_pattern_list,)),
    "iscp_pattern_list_count": (c_int32, (_pattern_list,)),
    "iscp_pattern_list_entry": (iscp_status, (_pattern_list, c_int32, _int32, _int32)),
    "iscp_pattern_list_class_name": (c_char_p, (_pattern_list, c_int32)),
    "iscp_pattern_list_canvas": (iscp_status, (_pattern_list, c_int32, POINTER(iscp_canvas_result))),
    "iscp_pattern_list_power_count": (c_int32, (_pattern_list, c_int32)),
    "iscp_pattern_list_power": (iscp_status, (_pattern_list, c_int32, c_int32, _double, POINTER(iscp_power))),
    "iscp_pattern_list_cut": (iscp_status, (POINTER(_pattern), _pattern_list, c_int32, c_int32, c_double)),
    "iscp_pattern_list_plan": (iscp_status, (_pattern_list, _int32, _int32)),
    "iscp_pattern_list_draw": (iscp_status, (_pattern_list, _double, POINTER(c_uint64))),
    "iscp_pattern_write_png": (iscp_status, (_pattern, c_char_p, c_int32)),
    "iscp_pattern_encode_png": (iscp_status, (_int64, _pattern, c_int32, POINTER(c_uint8), c_int64)),
    "iscp_image_write_png": (iscp_status, (_context, _float, c_int32, c_int32, c_int32, c_char_p, c_int32)),
    "iscp_image_encode_png": (
        iscp_status,
        (_int64, _context, _float, c_int32, c_int32, c_int32, c_int32, POINTER(c_uint8), c_int64),
    ),
    "iscp_heat_overlay": (iscp_status, (_float, _float, _float, c_int32, c_int32, c_int32, c_double)),
}


def declare(library: ctypes.CDLL) -> None:
    """Gives every function its types, and those that return a status the check that raises."""

    def check(status, function, arguments):
        if status.value:
            raise _errors.from_status(status.value, library.iscp_error_message().decode("utf-8", "replace"))

    for name, (result, arguments) in PROTOTYPES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
        if result is iscp_status:
            function.errcheck = check
