// SPDX-License-Identifier: MPL-2.0
using System.Reflection;
using DeepLake.Control;
using Google.Protobuf;

namespace DeepLake.Laked.Serve;

/// <summary>
/// Loads every assembly of the daemon soon after its start: later their files may be out of reach, or on
/// a lake that waits for this daemon.
/// </summary>
internal static class Preload
{
    internal static void Start() => new Thread(Run) { IsBackground = true, Name = "preload", Priority = ThreadPriority.Lowest }.Start();

    private static void Run()
    {
        var seen = new HashSet<string>();
        LoadReferences(typeof(Preload).Assembly, seen);
        // The first answer on the control socket must not be the one that finds out what is missing.
        var request = new Request { Version = ControlProtocol.Version, Ping = new PingRequest() };
        _ = Request.Parser.ParseFrom(request.ToByteArray());
    }

    private static void LoadReferences(Assembly assembly, HashSet<string> seen)
    {
        foreach (AssemblyName name in assembly.GetReferencedAssemblies())
        {
            if (seen.Add(name.FullName))
            {
                try
                {
                    LoadReferences(Assembly.Load(name), seen);
                }
                catch (FileNotFoundException)
                {
                    // A reference that nothing uses (FASTER has one): there is no file to miss later.
                }
            }
        }
    }
}
