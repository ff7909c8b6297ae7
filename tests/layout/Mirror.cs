// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using DeepLake.Abi;

namespace DeepLake.Layout.Tests;

/// <summary>What the C# side says, by reflection.</summary>
internal static class Mirror
{
    /// <summary>Mirrored structures by their C name.</summary>
    public static Dictionary<string, Type> Structs { get; } = typeof(CStructAttribute).Assembly.GetTypes()
        .Select(type => (Type: type, Attribute: type.GetCustomAttribute<CStructAttribute>()))
        .Where(pair => pair.Attribute is not null)
        .ToDictionary(pair => pair.Attribute!.Name, pair => pair.Type);

    /// <summary>Mirrored constants and enum members by their C name, as the C program prints them.</summary>
    public static Dictionary<string, string> Constants { get; } = typeof(CStructAttribute).Assembly.GetTypes()
        .SelectMany(type => type.GetFields(BindingFlags.Public | BindingFlags.Static))
        .Select(field => (Field: field, Attribute: field.GetCustomAttribute<CConstAttribute>()))
        .Where(pair => pair.Attribute is not null)
        .ToDictionary(pair => pair.Attribute!.Name, pair => Print(pair.Field.GetRawConstantValue()!));

    /// <summary>Public types of the assembly that are neither mirrors, constants nor in-place arrays.</summary>
    public static IEnumerable<string> UnmarkedTypes() => typeof(CStructAttribute).Assembly.GetExportedTypes()
        .Where(type => type.IsValueType && !type.IsEnum
            && type.GetCustomAttribute<CStructAttribute>() is null
            && type.GetCustomAttribute<InlineArrayAttribute>() is null)
        .Select(type => type.Name);

    /// <summary>Constants and enum members without the C name they mirror.</summary>
    public static IEnumerable<string> UnmarkedConstants() => typeof(CStructAttribute).Assembly.GetExportedTypes()
        .Where(type => type.GetCustomAttribute<InlineArrayAttribute>() is null)
        .SelectMany(type => type.GetFields(BindingFlags.Public | BindingFlags.Static))
        .Where(field => field.GetCustomAttribute<CConstAttribute>() is null)
        .Select(field => $"{field.DeclaringType!.Name}.{field.Name}");

    /// <summary>Fields in declaration order, which is their order in memory.</summary>
    public static FieldInfo[] Fields(Type type) =>
        [.. type.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance).OrderBy(f => f.MetadataToken)];

    public static int SizeOf(Type type) => (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    /// <summary>Offset of a field in managed memory: its address less that of its structure.</summary>
    public static int OffsetOf(FieldInfo field)
    {
        var method = new DynamicMethod("offset", typeof(int), [], typeof(Mirror).Module, skipVisibility: true);
        ILGenerator il = method.GetILGenerator();
        LocalBuilder value = il.DeclareLocal(field.DeclaringType!);
        il.Emit(OpCodes.Ldloca, value);
        il.Emit(OpCodes.Ldflda, field);
        il.Emit(OpCodes.Conv_U8);
        il.Emit(OpCodes.Ldloca, value);
        il.Emit(OpCodes.Conv_U8);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Conv_I4);
        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<Func<int>>()();
    }

    /// <summary>Element count and element type; 0 when the field is no array.</summary>
    public static (int Count, Type Element) Shape(Type type)
    {
        InlineArrayAttribute? array = type.GetCustomAttribute<InlineArrayAttribute>();
        return array is null ? (0, type) : (array.Length, Fields(type)[0].FieldType);
    }

    private static string Print(object value) => value switch
    {
        string s => s,
        char c => ((int)c).ToString(CultureInfo.InvariantCulture),
        _ => Convert.ToUInt64(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture),
    };
}
