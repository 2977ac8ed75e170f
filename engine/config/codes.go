package config

import (
	"slices"

	"dag/engine/contract"
)

// The codes of this package's diagnostics. They are stable: scripts match them,
// and `dag explain` says what they mean.
const (
	codeSyntax           = "invalid_syntax"
	codeFile             = "unreadable_file"
	codeUnknownBlock     = "unknown_block"
	codeLabels           = "wrong_labels"
	codeName             = "invalid_name"
	codeDuplicate        = "duplicate_block"
	codeUnknownArgument  = "unknown_argument"
	codeMissingArgument  = "missing_argument"
	codeMissingBlock     = "missing_block"
	codeType             = "wrong_type"
	codeValue            = "invalid_value"
	codeExpression       = "invalid_expression"
	codeUnknownReference = "unknown_reference"
	codeUnknownFunction  = "unknown_function"
	codeUnknownVariable  = "unknown_variable"
	codeNoValue          = "variable_without_value"
	codeValidation       = "variable_not_valid"
	codeUnknownLocal     = "unknown_local"
	codeLocalCycle       = "local_cycle"
	codeUnknownCalendar  = "unknown_calendar"
	codeUnknownKey       = "unknown_key"
	codeDerive           = "invalid_derive"
	codeUnknownDataset   = "unknown_dataset"
	codeNotASource       = "source_or_dataset"
	codePath             = "invalid_path"
	codeCollision        = "path_collision"
	codeFiles            = "invalid_files"
	codeMissingContract  = "missing_contract"
	codeUnknownColumn    = "unknown_column"
	codeUnknownTransform = "unknown_transform"
	codeUnknownPort      = "unknown_port"
	codeMissingPort      = "missing_port"
	codeUnknownParam     = "unknown_parameter"
	codeMissingParam     = "missing_parameter"
	codeParam            = "invalid_parameter"
	codeWindow           = "invalid_window"
	codeUnstored         = "cannot_be_unstored"
	codeLookahead        = "window_looks_ahead"
	codeCollectMissing   = "collect_required"
	codeCollect          = "invalid_collect"
	codeFanOutMissing    = "fan_out_required"
	codeFanOut           = "invalid_fan_out"
	codeUnknownValue     = "key_without_origin"
	codeUnits            = "outputs_disagree"
	codeTwoWriters       = "two_writers"
	codeNoWriter         = "no_writer"
	codeContractMismatch = "contract_mismatch"
	codeInputMismatch    = "input_mismatch"
)

// Codes lists every code that Load can report, sorted.
func Codes() []string {
	codes := []string{
		codeSyntax, codeFile, codeUnknownBlock, codeLabels, codeName, codeDuplicate, codeUnknownArgument, codeMissingArgument,
		codeMissingBlock, codeType, codeValue, codeExpression, codeUnknownReference, codeUnknownFunction, codeUnknownVariable,
		codeNoValue, codeValidation, codeUnknownLocal, codeLocalCycle, codeUnknownCalendar, codeUnknownKey, codeDerive,
		codeUnknownDataset, codeNotASource, codePath, codeCollision, codeFiles, codeMissingContract, codeUnknownColumn,
		codeUnknownTransform, codeUnknownPort, codeMissingPort, codeUnknownParam, codeMissingParam, codeParam, codeWindow, codeUnstored,
		codeLookahead, codeCollectMissing, codeCollect, codeFanOutMissing, codeFanOut, codeUnknownValue, codeUnits, codeTwoWriters,
		codeNoWriter, codeContractMismatch, codeInputMismatch, contract.CodeInvalid, contract.CodeUnsupported,
	}
	slices.Sort(codes)
	return codes
}
