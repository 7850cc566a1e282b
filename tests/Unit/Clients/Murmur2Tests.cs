using System.Text;
using Granary.Abstractions.Clients;
using Xunit;

namespace Granary.Unit.Clients;

public sealed class Murmur2Tests
{
    // Values that Kafka's own tests hold its murmur2 to (UtilsTest.testMurmur2).
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Hash_OfKafkasExamples_GivesKafkasValues(string key, int expected) =>
        Assert.Equal(expected, Murmur2.Hash(Encoding.UTF8.GetBytes(key)));

    [Fact]
    public void PartitionOf_ANegativeHash_DropsTheSign() =>
        Assert.Equal((-973932308 & int.MaxValue) % 7, Murmur2.PartitionOf("21"u8, 7));
}
