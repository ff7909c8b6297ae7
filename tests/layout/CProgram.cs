// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Text;

namespace DeepLake.Layout.Tests;

/// <summary>Compiles and runs C against the real headers: what the compiler says is what counts.</summary>
internal static class CProgram
{
    public static string ProtoDirectory { get; } = FindProto();

    /// <summary>Facts by key: <c>size S</c>, <c>offset S.F</c>, <c>bytes S.F</c>, <c>const NAME</c>.</summary>
    public static Dictionary<string, string> Measure(HeaderParser headers)
    {
        var source = new StringBuilder();
        source.AppendLine("#include <stdio.h>").AppendLine("#include <stddef.h>").AppendLine("#include \"lakefs_abi_check.h\"");
        source.AppendLine("static void text(const char *n, const char *v) { printf(\"const %s\\t%s\\n\", n, v); }");
        source.AppendLine("static void number(const char *n, unsigned long long v) { printf(\"const %s\\t%llu\\n\", n, v); }");
        source.AppendLine("#define SHOW(x) _Generic((x), char *: text, default: number)(#x, x)");
        source.AppendLine("int main(void) {");
        foreach ((string name, List<CField> fields) in headers.Structs)
        {
            source.AppendLine($"printf(\"size {name}\\t%zu\\n\", sizeof(struct {name}));");
            foreach (CField field in fields)
            {
                source.AppendLine($"printf(\"offset {name}.{field.Name}\\t%zu\\n\", offsetof(struct {name}, {field.Name}));");
                source.AppendLine($"printf(\"bytes {name}.{field.Name}\\t%zu\\n\", sizeof(((struct {name} *)0)->{field.Name}));");
            }
        }
        foreach (string name in headers.Constants.Concat(headers.EnumMembers))
        {
            source.AppendLine($"SHOW({name});");
        }
        source.AppendLine("return 0; }");
        return ToFacts(CompileAndRun(source.ToString()));
    }

    /// <summary>Every macro that the compiler itself knows after including the headers.</summary>
    public static List<string> PreprocessorMacros()
    {
        string output = Run("gcc", ["-E", "-dM", "-I", ProtoDirectory, "-include", "lakefs_abi_check.h", "-x", "c", "/dev/null"]);
        return [.. output.Split('\n')
            .Where(line => line.StartsWith("#define LAKEFS_", StringComparison.Ordinal))
            .Select(line => line.Split(' ', 3)[1].Split('(')[0])];
    }

    private static string CompileAndRun(string source)
    {
        string directory = Directory.CreateTempSubdirectory("lake-layout").FullName;
        try
        {
            string program = Path.Combine(directory, "layout");
            File.WriteAllText(program + ".c", source);
            Run("gcc", ["-std=gnu11", "-Wall", "-Werror", "-I", ProtoDirectory, "-o", program, program + ".c"]);
            return Run(program, []);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static Dictionary<string, string> ToFacts(string output) =>
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToDictionary(p => p[0], p => p[1]);

    private static string Run(string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new InvalidOperationException($"{program} did not start");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} failed with {process.ExitCode}: {errors.Result}");
    }

    private static string FindProto()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string proto = Path.Combine(at.FullName, "proto");
            if (File.Exists(Path.Combine(proto, "lakefs_ring.h")))
            {
                return proto;
            }
        }
        throw new DirectoryNotFoundException("proto/ was not found above the test");
    }
}
