// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>
/// The switch of the power-failure control: with LAKED_UNSAFE_NO_FLUSH=1 the offline commit sink and
/// the page store's checkpoint do not flush, so that the instrument can show that it sees the loss.
/// </summary>
public static class FlushPolicy
{
    public const string Variable = "LAKED_UNSAFE_NO_FLUSH";

    private static readonly bool FromEnvironment = ReadEnvironment();

    public static bool FlushesAreDisabled => FromEnvironment;

    /// <summary>Flushes, unless the control build said not to.</summary>
    public static void Flush(IBlockDevice device)
    {
        if (!FromEnvironment)
        {
            device.Flush();
        }
    }

    private static bool ReadEnvironment()
    {
        if (Environment.GetEnvironmentVariable(Variable) != "1")
        {
            return false;
        }
        Console.Error.WriteLine($"WARNING: {Variable}=1: durability is OFF, data WILL be lost at a power cut. Only for tests.");
        return true;
    }
}
