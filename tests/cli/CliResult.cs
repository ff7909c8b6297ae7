// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Cli.Tests;

/// <summary>How a run of lakectl ended.</summary>
internal sealed record CliResult(int ExitCode, string Output, string Errors);
