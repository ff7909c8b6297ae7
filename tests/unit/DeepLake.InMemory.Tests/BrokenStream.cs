// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.InMemory.Tests;

/// <summary>Fails after so many bytes.</summary>
internal sealed class BrokenStream(long goodBytes) : MemoryStream(new byte[1])
{
    private long _left = goodBytes;

    public override int Read(Span<byte> buffer)
    {
        if (_left == 0)
        {
            throw new InvalidOperationException("the source is broken");
        }

        int got = (int)Math.Min(buffer.Length, _left);
        buffer[..got].Fill(7);
        _left -= got;
        return got;
    }
}
