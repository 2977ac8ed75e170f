package config

import (
	"cmp"
	"slices"

	"dag/engine/contract"
)

// The codes of this package's diagnostics. They are stable: scripts match them
// and `dag explain` is asked for them.
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

// Code is one kind of mistake.
type Code struct{ Name, Meaning string }

// allCodes is in the order of the text that they speak of.
var allCodes = []Code{
	{codeSyntax, "the text is not HCL"},
	{codeFile, "a file of the project cannot be read"},
	{codeUnknownBlock, "a block of a type that does not exist here"},
	{codeLabels, "a block has too many or too few labels"},
	{codeName, "a name that cannot be part of an address or a path"},
	{codeDuplicate, "two blocks declare the same thing"},
	{codeUnknownArgument, "an argument that the block does not have"},
	{codeMissingArgument, "an argument that the block must have"},
	{codeMissingBlock, "a block that must be there is not"},
	{codeType, "an argument has a value of another type"},
	{codeValue, "an argument has a value that cannot be"},
	{codeExpression, "an expression cannot be evaluated"},
	{codeUnknownReference, "an expression refers to something that does not exist there"},
	{codeUnknownFunction, "an expression calls a function that does not exist"},
	{codeUnknownVariable, "a reference to, or a value for, a variable that is not declared"},
	{codeNoValue, "a variable has neither a value nor a default"},
	{codeValidation, "the value of a variable breaks its validation"},
	{codeUnknownLocal, "a reference to a local value that is not declared"},
	{codeLocalCycle, "local values that depend on themselves"},
	{codeUnknownCalendar, "a reference to a calendar that is not declared"},
	{codeUnknownKey, "a reference to a key that is not declared, or that the dataset does not have"},
	{codeDerive, "a derived key does not follow from exactly one other key"},
	{codeUnknownDataset, "a reference to a dataset or source that is not declared"},
	{codeNotASource, "a source where a dataset is needed, or the reverse"},
	{codePath, "a path that cannot lead to a partition's folder"},
	{codeCollision, "two datasets whose partitions could be the same folder, or one inside the other"},
	{codeFiles, "a files pattern that cannot find the files of a partition"},
	{codeMissingContract, "the contract file is not there"},
	{codeUnknownColumn, "a column that the contract does not have"},
	{codeUnknownTransform, "a stage names a transform that is not compiled in"},
	{codeUnknownPort, "a stage connects a port that its transform does not have"},
	{codeMissingPort, "a stage leaves a port of its transform unconnected"},
	{codeUnknownParam, "a stage sets a parameter that its transform does not have"},
	{codeMissingParam, "a stage does not set a parameter that has no default"},
	{codeParam, "a parameter has a value of the wrong type or one that is not allowed"},
	{codeWindow, "a window that selects nothing, or over a key that cannot have one"},
	{codeLookahead, "a window that reads the future without saying so"},
	{codeCollectMissing, "an input has a key that the output lacks, and no collect names it"},
	{codeCollect, "collect names a key that cannot be collapsed"},
	{codeFanOutMissing, "an output has a key whose values only the run tells, and no fan_out names it"},
	{codeFanOut, "fan_out names a key, or stands at a port, that cannot fan out"},
	{codeUnknownValue, "an output has a key that no input tells the value of"},
	{codeUnits, "the outputs of a stage imply different units of work"},
	{codeTwoWriters, "two stages write one dataset"},
	{codeNoWriter, "a stage reads a dataset that no stage writes"},
	{codeContractMismatch, "what a transform writes does not fit the contract of the dataset"},
	{codeInputMismatch, "what a transform reads does not fit the contract of the dataset"},
	{contract.CodeInvalid, "a contract is not the Avro schema of a record"},
	{contract.CodeUnsupported, "a field of a contract has a type that no column can have"},
}

// Codes lists every code that Load can report, by name.
func Codes() []Code {
	return slices.SortedFunc(slices.Values(allCodes), func(a, b Code) int { return cmp.Compare(a.Name, b.Name) })
}
