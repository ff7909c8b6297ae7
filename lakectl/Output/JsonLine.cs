// SPDX-License-Identifier: MPL-2.0
using System.Text.Encodings.Web;
using System.Text.Json;

namespace DeepLake.Lakectl.Output;

/// <summary>One JSON object on a line of standard output. Every one has a version and a type.</summary>
internal static class JsonLine
{
    internal const int Version = 1;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static void Write(string type, Action<Utf8JsonWriter> body)
    {
        using Stream output = Console.OpenStandardOutput();
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteString("type", type);
            body(json);
            json.WriteEndObject();
        }
        bytes.WriteByte((byte)'\n');
        output.Write(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    internal static void WriteStrings(this Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }
        json.WriteEndArray();
    }
}
