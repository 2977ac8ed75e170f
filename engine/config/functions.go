package config

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// impure are functions known from elsewhere that this language does not have:
// the same text always gives the same configuration.
var impure = []string{"timestamp", "plantimestamp", "now", "uuid", "uuidv4", "uuidv5", "bcrypt", "random", "env", "getenv", "sysenv"}

// functions is the whole library, by Terraform's names and with its meanings.
// Only file reads anything: the pipelines folder.
func functions(pipelines fs.FS) map[string]function.Function {
	return map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc,
		"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc, "signum": stdlib.SignumFunc,

		"chomp": stdlib.ChompFunc, "format": stdlib.FormatFunc, "formatlist": stdlib.FormatListFunc, "indent": stdlib.IndentFunc,
		"join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc,
		"replace": replaceFunc, "split": stdlib.SplitFunc, "strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc,
		"title": stdlib.TitleFunc, "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc,
		"startswith":  stringTest("Tells whether the given string begins with the given part.", strings.HasPrefix),
		"endswith":    stringTest("Tells whether the given string ends with the given part.", strings.HasSuffix),
		"strcontains": stringTest("Tells whether the given string contains the given part.", strings.Contains),

		"chunklist": stdlib.ChunklistFunc, "coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc,
		"compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc,
		"element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "index": stdlib.IndexFunc, "keys": stdlib.KeysFunc,
		"length": lengthFunc, "lookup": stdlib.LookupFunc, "merge": stdlib.MergeFunc, "range": stdlib.RangeFunc,
		"reverse": stdlib.ReverseListFunc, "setintersection": stdlib.SetIntersectionFunc, "setproduct": stdlib.SetProductFunc,
		"setsubtract": stdlib.SetSubtractFunc, "setunion": stdlib.SetUnionFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc,
		"values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

		"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,
		"formatdate": stdlib.FormatDateFunc, "timeadd": stdlib.TimeAddFunc,
		"file": fileFunc(pipelines),

		"can":    tryfunc.CanFunc.WithNewDescriptions("Tells whether the given expression can be evaluated without an error.", []string{""}),
		"try":    tryfunc.TryFunc.WithNewDescriptions("Returns the value of the first of the given expressions that can be evaluated without an error.", []string{""}),
		"tobool": to(cty.Bool), "tolist": to(cty.List(cty.DynamicPseudoType)), "tomap": to(cty.Map(cty.DynamicPseudoType)),
		"tonumber": to(cty.Number), "toset": to(cty.Set(cty.DynamicPseudoType)), "tostring": to(cty.String),
	}
}

// FunctionSpec is one function of the language.
type FunctionSpec struct {
	Name  string
	Usage string // "substr(str, offset, length)"
	Doc   string // one sentence
}

// Functions lists the functions of the language by name.
func Functions() []FunctionSpec {
	library := functions(nil)
	var list []FunctionSpec
	for _, name := range mapKeys(library) {
		f := library[name]
		var params []string
		for _, p := range f.Params() {
			params = append(params, p.Name)
		}
		if p := f.VarParam(); p != nil {
			params = append(params, p.Name+"...")
		}
		doc := strings.ReplaceAll(f.Description(), `\"`, `"`) // the library has them twice quoted
		list = append(list, FunctionSpec{name, name + "(" + strings.Join(params, ", ") + ")", doc})
	}
	return list
}

// replaceFunc replaces a substring, or a pattern that stands between slashes.
var replaceFunc = function.New(&function.Spec{
	Description: "Returns the given string with each occurrence of a substring replaced; a substring between slashes is a regular expression (RE2).",
	Params:      []function.Parameter{{Name: "str", Type: cty.String}, {Name: "substr", Type: cty.String}, {Name: "replace", Type: cty.String}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if s := args[1].AsString(); len(s) > 1 && s[0] == '/' && s[len(s)-1] == '/' {
			return stdlib.RegexReplace(args[0], cty.StringVal(s[1:len(s)-1]), args[2])
		}
		return stdlib.Replace(args[0], args[1], args[2])
	},
})

// lengthFunc counts the characters of a string or the elements of a collection.
var lengthFunc = function.New(&function.Spec{
	Description: "Counts the characters of a string, or the elements of a collection.",
	Params:      []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}},
	Type:        function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		switch t := args[0].Type(); {
		case t == cty.String:
			return stdlib.Strlen(args[0])
		case t.IsObjectType():
			return cty.NumberIntVal(int64(len(t.AttributeTypes()))), nil
		}
		return stdlib.Length(args[0])
	},
})

func stringTest(doc string, test func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Description: doc,
		Params:      []function.Parameter{{Name: "str", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// to converts a value to a type.
func to(want cty.Type) function.Function {
	return function.New(&function.Spec{
		Description: "Converts the given value to a " + strings.Fields(want.FriendlyName())[0] + ", or is an error.",
		Params:      []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true}},
		Type: func(args []cty.Value) (cty.Type, error) {
			v, err := convert.Convert(args[0], want)
			return v.Type(), err
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) { return convert.Convert(args[0], t) },
	})
}

// fileFunc returns the text of a file, named relative to the pipelines folder
// whichever file asks; it cannot leave that folder.
func fileFunc(pipelines fs.FS) function.Function {
	return function.New(&function.Spec{
		Description: "Returns the text of a file in `pipelines/`, named relative to that folder.",
		Params:      []function.Parameter{{Name: "path", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			if !fs.ValidPath(name) {
				return cty.NilVal, function.NewArgErrorf(0, "%q is not a path inside of pipelines/, without .. and leading slash", name)
			}
			text, err := fs.ReadFile(pipelines, name)
			switch {
			case err != nil:
				return cty.NilVal, function.NewArgError(0, fmt.Errorf("%s%s cannot be read: %w", pipelinesFolder, name, plain(err)))
			case !utf8.Valid(text):
				return cty.NilVal, function.NewArgErrorf(0, "%s%s is not text in UTF-8", pipelinesFolder, name)
			}
			return cty.StringVal(string(text)), nil
		},
	})
}
