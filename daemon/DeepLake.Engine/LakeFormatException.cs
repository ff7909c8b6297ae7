// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Engine;

/// <summary>
/// The device does not hold a lake that this version can use. The message says the cause;
/// <see cref="NextStep"/> what a person can do about it.
/// </summary>
public sealed class LakeFormatException(Errno errno, string message, string nextStep) : Exception(message)
{
    /// <summary>What to do about damaged metadata.</summary>
    public const string RepairAdvice = "lakectl repair DEVICE tells what can be brought back, and how; else restore the device from a backup";

    public Errno Errno { get; } = errno;

    public string NextStep { get; } = nextStep;
}
