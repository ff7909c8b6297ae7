// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Platform;

/// <summary>Flags of <c>open(2)</c>, x86-64 values.</summary>
[Flags]
public enum OpenFlags
{
    ReadOnly = 0,
    WriteOnly = 1,
    ReadWrite = 2,
    Create = 0x40,
    Exclusive = 0x80,
    Truncate = 0x200,
    NonBlock = 0x800,
    Direct = 0x4000,
    Directory = 0x10000,
    NoFollow = 0x20000,
    CloseOnExec = 0x80000,
}

/// <summary>Protections of <c>mmap(2)</c>.</summary>
[Flags]
public enum MapProtection
{
    None = 0,
    Read = 1,
    Write = 2,
}

/// <summary>Kinds of mapping of <c>mmap(2)</c>.</summary>
[Flags]
public enum MapFlags
{
    Shared = 0x01,
    Private = 0x02,
    Anonymous = 0x20,
    Locked = 0x2000,
    Populate = 0x8000,
}

/// <summary>Operations of <c>flock(2)</c>.</summary>
[Flags]
public enum LockOperation
{
    Shared = 1,
    Exclusive = 2,
    NonBlock = 4,
    Unlock = 8,
}

/// <summary>Modes of <c>fallocate(2)</c>.</summary>
[Flags]
public enum AllocateMode
{
    Default = 0,
    KeepSize = 1,
    PunchHole = 2,
    ZeroRange = 0x10,
}

/// <summary>Events of <c>poll(2)</c>.</summary>
[Flags]
public enum PollEvents : short
{
    None = 0,
    In = 1,
    Priority = 2,
    Out = 4,
    Error = 8,
    HangUp = 0x10,
    Invalid = 0x20,
}

/// <summary>Flags of <c>mlockall(2)</c>.</summary>
[Flags]
public enum LockAllFlags
{
    Current = 1,
    Future = 2,
    OnFault = 4,
}
