// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using System.Text.RegularExpressions;
using DeepLake.Abi;
using DeepLake.Check;
using DeepLake.Engine;
using DeepLake.Engine.Scrub;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>
/// What lies in packs is judged by what comes out of them; and of a copy of the device a bit of a pack is changed now
/// and then: checker and scrub have to name exactly what files have in that pack.
/// </summary>
internal sealed partial class Simulation
{
    private readonly PackReader _packs = new();
    private readonly Dictionary<ulong, byte[]> _packsRead = []; // by their first device block; of one recovery

    /// <summary>How many times a damaged pack was found as it has to be.</summary>
    public long DamagedPacks { get; private set; }

    [GeneratedRegex("^inode ([0-9]+) ?.*: its bytes ([0-9]+) to ([0-9]+) are damaged")]
    private static partial Regex DamageLine { get; }

    private ulong VerifyPacked(string where, in ModelBlock block) =>
        VerifyBlock(where, ReadPacked(where, block), block.DeviceBlock, block.Base, isChecked: false, 0, 0);

    /// <summary>A block out of its pack, whose device blocks are all what the checksum table says.</summary>
    private byte[] ReadPacked(string where, in ModelBlock block)
    {
        if (!_packsRead.TryGetValue(block.DeviceBlock, out byte[]? content))
        {
            byte[] pack = new byte[block.Span * LakeFormat.BlockSize];
            _device.Peek(pack, Bytes(block.DeviceBlock));
            for (uint i = 0; i < block.Span; i++)
            {
                Require(
                    DeviceLied || Crc32C.Compute(pack.AsSpan((int)i * LakeFormat.BlockSize, LakeFormat.BlockSize)) == Entry(block.DeviceBlock + i),
                    $"{where}: block {i} of the pack at {block.DeviceBlock} is not what the checksum table says");
            }

            _packsRead.Add(block.DeviceBlock, content = _packs.Read(pack).ToArray());
        }

        Require(
            content.Length >= (block.PackIndex + 1) * LakeFormat.BlockSize,
            $"{where}: at {block.DeviceBlock} is no pack of {block.Span} blocks that holds it");
        return content[(block.PackIndex * LakeFormat.BlockSize)..((block.PackIndex + 1) * LakeFormat.BlockSize)];
    }

    private void DamageAPackSometimes(LakeEngine engine, ModelTree tree)
    {
        ModelBlock[] heads = [.. tree.Inodes.Values.SelectMany(i => i.Blocks.Values).Where(b => b.IsPacked && !b.IsContinued)];
        if (heads.Length == 0 || _packing.Next(3) > 0)
        {
            return;
        }

        ModelBlock pack = heads[_packing.Next(heads.Length)];
        ulong damaged = pack.DeviceBlock + (ulong)_packing.Next((int)pack.Span);
        using var copy = new ReadOnlyOverlayDevice(_memory);
        byte[] block = new byte[LakeFormat.BlockSize];
        copy.Read(block, Bytes(damaged));
        block[_packing.Next(block.Length)] ^= (byte)(1 << _packing.Next(8));
        copy.Write(block, Bytes(damaged));
        List<(ulong Ino, ulong From, ulong End)> expected = PartsIn(tree, pack.DeviceBlock);
        RequireSame(expected, CheckerFindings(engine, copy), "checker");
        RequireSame(expected, ScrubFindings(engine, copy), "scrub");
        DamagedPacks++;
    }

    /// <summary>The extents in a pack, by their blocks.</summary>
    private static List<(ulong Ino, ulong From, ulong End)> PartsIn(ModelTree tree, ulong pack)
    {
        var parts = new List<(ulong Ino, ulong From, ulong End)>();
        foreach (ModelInode inode in tree.Inodes.Values)
        {
            foreach ((ulong block, ModelBlock value) in inode.Blocks.Where(b => b.Value.IsPacked && b.Value.DeviceBlock == pack))
            {
                if (value.IsContinued)
                {
                    parts[^1] = parts[^1] with { End = block + 1 };
                }
                else
                {
                    parts.Add((inode.Ino, block, block + 1));
                }
            }
        }

        return parts;
    }

    /// <summary>All that is said of damage; anything else is a finding as it is elsewhere.</summary>
    private List<(ulong Ino, ulong From, ulong End)> CheckerFindings(LakeEngine engine, IBlockDevice copy)
    {
        var found = new List<(ulong Ino, ulong From, ulong End)>();
        RequireClean(
            () =>
            {
                CheckReport report = Lake.CheckData(engine, copy);
                string[] others = [.. report.Findings.Where(f => !DamageLine.IsMatch(f))];
                foreach (Match match in report.Findings.Select(f => DamageLine.Match(f)).Where(m => m.Success))
                {
                    ulong[] numbers = [.. match.Groups.Values.Skip(1).Select(g => ulong.Parse(g.Value, CultureInfo.InvariantCulture))];
                    found.Add((numbers[0], numbers[1] / LakeFormat.BlockSize, (numbers[2] + 1) / LakeFormat.BlockSize));
                }

                return report with { Findings = others, FindingCount = report.FindingCount - found.Count };
            },
            "the lake with a damaged pack");
        return found;
    }

    private static List<(ulong Ino, ulong From, ulong End)> ScrubFindings(LakeEngine engine, IBlockDevice copy)
    {
        var found = new List<(ulong Ino, ulong From, ulong End)>();
        var ledger = new ScrubLedger();
        ledger.Start(0, 5);
        using var reader = new ScrubReader(copy, engine.Superblock);
        var pass = new ScrubPass(engine, reader, ledger)
        {
            Now = () => 5,
            Found = f => found.Add((f.Ino, f.FileBlock, f.FileBlock + f.Blocks)),
        };
        while (ledger.IsRunning)
        {
            pass.Advance();
        }

        return found;
    }

    private static void RequireSame(List<(ulong Ino, ulong From, ulong End)> expected, List<(ulong Ino, ulong From, ulong End)> found, string who) => Require(
        found.Order().SequenceEqual(expected.Order()),
        $"of a damaged pack the {who} finds {string.Join(", ", found.Order())}, it has to be {string.Join(", ", expected.Order())}");
}
