using System.Collections.Immutable;
using Granary.Abstractions.Topics;
using Granary.Gateway.Http;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Gateway.Http;

/// <summary>The ids of a stream's events.</summary>
public sealed class StreamPositionsTests
{
    private static readonly TopicDescription s_topic = new("orders", Guid.NewGuid(), 3, ImmutableDictionary<string, string>.Empty, 1);

    [Fact]
    public void Id_IsReadAsItWasWritten()
    {
        var positions = new StreamPositions(s_topic.TopicId, new SortedDictionary<int, long> { [2] = 17, [0] = 41 });

        var read = StreamPositions.Parse(positions.ToId(), s_topic);

        Assert.Equal($"{s_topic.TopicId:N}/0:41,2:17", positions.ToId());
        Assert.Equal(positions.Offsets, read.Offsets);
        Assert.Equal(positions.Offsets, StreamPositions.Parse("2:17,0:41", s_topic).Offsets);
    }

    [Fact]
    public void Id_OfATopicThatWasOfThatNameBefore_IsRefused()
    {
        var former = new StreamPositions(Guid.NewGuid(), new SortedDictionary<int, long> { [0] = 41 });

        var problem = Assert.Throws<Problem>(() => StreamPositions.Parse(former.ToId(), s_topic));

        Assert.Equal((404, ErrorCode.UnknownTopicId, "Last-Event-ID"), (problem.Status, problem.Error, problem.Field));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("x/0:1")]
    [InlineData("0:1,")]
    [InlineData("0:1,0:2")]
    [InlineData("3:1")]
    [InlineData("0:-1")]
    [InlineData("0:99999999999999999999")]
    public void Id_ThatIsNone_IsRefused(string id) =>
        Assert.Equal((400, "Last-Event-ID"), Assert.Throws<Problem>(() => StreamPositions.Parse(id, s_topic)) is var problem ? (problem.Status, problem.Field) : default);
}
