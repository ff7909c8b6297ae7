// SPDX-License-Identifier: MPL-2.0
using System.Reflection;
using DeepLake.Abi;
using NUnit.Framework;

namespace DeepLake.Layout.Tests;

/// <summary>Compares proto/ with its C# mirrors, both ways and with no exclusions.</summary>
[TestFixture]
public sealed class LayoutTests
{
    /// <summary>Macros that are code, not constants: a new one needs a decision here.</summary>
    private static readonly string[] FunctionMacros = ["LAKEFS_CHECK_SIZE", "LAKEFS_CHECK_OFFSET"];

    private static readonly string[] IncludeGuards = ["LAKEFS_FORMAT_H", "LAKEFS_RING_H", "LAKEFS_ABI_CHECK_H"];

    /// <summary>Fields whose C# name spells a C abbreviation out.</summary>
    private static readonly Dictionary<string, string> SpelledOut = new()
    {
        ["hdr"] = "Header",
        ["ckpt_seq"] = "CheckpointSeq",
        ["ckpt_wal_lsn"] = "CheckpointWalLsn",
        ["ckpt_wal_offset"] = "CheckpointWalOffset",
    };

    private static readonly Dictionary<string, Type> Primitives = new()
    {
        ["__u8"] = typeof(byte),
        ["__u16"] = typeof(ushort),
        ["__u32"] = typeof(uint),
        ["__u64"] = typeof(ulong),
        ["__s32"] = typeof(int),
        ["__s64"] = typeof(long),
    };

    private HeaderParser _headers = null!;
    private Dictionary<string, string> _facts = null!;

    [OneTimeSetUp]
    public void ReadHeaders()
    {
        _headers = new HeaderParser();
        foreach (string path in Directory.GetFiles(CProgram.ProtoDirectory, "*.h").Order())
        {
            _headers.Parse(path);
        }
        _facts = CProgram.Measure(_headers);
    }

    [Test]
    public void EveryStruct_HasItsMirror_AndEveryMirrorItsStruct()
    {
        Assert.That(Mirror.Structs.Keys, Is.EquivalentTo(_headers.Structs.Keys));
        Assert.That(Mirror.UnmarkedTypes(), Is.Empty);
    }

    [Test]
    public void EveryField_HasTheSameNameOffsetSizeAndType()
    {
        Assert.Multiple(() =>
        {
            foreach ((string name, List<CField> fields) in _headers.Structs)
            {
                if (Mirror.Structs.TryGetValue(name, out Type? type))
                {
                    CompareStruct(name, fields, type);
                }
            }
        });
    }

    [Test]
    public void EveryConstant_HasTheSameValueOnBothSides()
    {
        Dictionary<string, string> native = _facts.Where(f => f.Key.StartsWith("const ", StringComparison.Ordinal))
            .ToDictionary(f => f.Key["const ".Length..], f => f.Value);
        Assert.That(Mirror.Constants.Keys, Is.EquivalentTo(native.Keys));
        Assert.Multiple(() =>
        {
            foreach ((string name, string value) in native)
            {
                Assert.That(Mirror.Constants.GetValueOrDefault(name), Is.EqualTo(value), name);
            }
        });
        Assert.That(Mirror.UnmarkedConstants(), Is.Empty);
    }

    [Test]
    public void TheParser_SawEveryMacroTheCompilerSees()
    {
        Assert.That(CProgram.PreprocessorMacros(), Is.EquivalentTo(_headers.Constants.Concat(FunctionMacros).Concat(IncludeGuards)));
        Assert.That(_headers.FunctionMacros, Is.EquivalentTo(FunctionMacros));
    }

    private void CompareStruct(string name, List<CField> fields, Type type)
    {
        Assert.That(Mirror.SizeOf(type), Is.EqualTo(int.Parse(_facts[$"size {name}"])), $"size of {name}");
        FieldInfo[] mirrored = Mirror.Fields(type);
        Assert.That(mirrored.Select(f => f.Name), Is.EqualTo(fields.Select(f => Expected(f.Name))), name);
        foreach ((CField field, FieldInfo mirror) in fields.Zip(mirrored))
        {
            string what = $"{name}.{field.Name}";
            (int count, Type element) = Mirror.Shape(mirror.FieldType);
            Assert.That(Mirror.OffsetOf(mirror), Is.EqualTo(int.Parse(_facts[$"offset {what}"])), $"offset of {what}");
            Assert.That(Mirror.SizeOf(mirror.FieldType), Is.EqualTo(int.Parse(_facts[$"bytes {what}"])), $"bytes of {what}");
            Assert.That(count, Is.EqualTo(field.Count), $"elements of {what}");
            CompareType(what, field, element);
        }
    }

    private static void CompareType(string what, CField field, Type element)
    {
        if (field.IsStruct)
        {
            Assert.That(element.GetCustomAttribute<CStructAttribute>()?.Name, Is.EqualTo(field.Type), $"type of {what}");
            return;
        }
        Type plain = element.IsEnum ? Enum.GetUnderlyingType(element) : element;
        Assert.That(plain, Is.EqualTo(Primitives[field.Type]), $"type of {what}");
    }

    private static string Expected(string name) => SpelledOut.TryGetValue(name, out string? spelled)
        ? spelled
        : string.Concat(name.Split('_').Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
}
