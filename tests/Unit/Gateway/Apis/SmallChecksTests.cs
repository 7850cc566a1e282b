using System.Net.Sockets;
using Granary.Abstractions.Partitions;
using Granary.Gateway.Kafka.Apis;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Gateway.Apis;

/// <summary>The one-line decisions of several handlers.</summary>
public sealed class SmallChecksTests
{
    [Fact]
    public void Duplicates_OfValues_AreThoseThatOccurTwiceOrMore() =>
        Assert.Equal(new HashSet<string> { "a", "c" }, Duplicates.Of(["a", "b", "a", "c", "c", "c"]));

    [Theory]
    [InlineData(0L, 1, true)]
    [InlineData(long.MaxValue, 1, true)]
    [InlineData(OffsetQuery.Latest, 1, true)]
    [InlineData(OffsetQuery.Earliest, 1, true)]
    [InlineData(OffsetQuery.MaxTimestamp, 6, false)]
    [InlineData(OffsetQuery.MaxTimestamp, 7, true)]
    [InlineData(OffsetQuery.EarliestLocal, 7, false)]
    [InlineData(OffsetQuery.EarliestLocal, 8, true)]
    [InlineData(OffsetQuery.LatestTiered, 8, false)]
    [InlineData(OffsetQuery.LatestTiered, 9, true)]
    [InlineData(-6L, 10, false)]
    [InlineData(long.MinValue, 10, false)]
    public void ListOffsets_ForASpecialTimestamp_KnowsItFromItsVersionOn(long timestamp, short version, bool allowed) =>
        Assert.Equal(allowed, ListOffsetsApi.IsAllowed(timestamp, version));

    [Theory]
    [InlineData(0, "group", true)]
    [InlineData(0, "", true)]
    [InlineData(1, "transaction", true)]
    [InlineData(1, "", false)]
    [InlineData(2, "group:topic:0", false)]
    [InlineData(-1, "x", false)]
    public void FindCoordinator_ForAKeyType_KnowsGroupsAndTransactions(sbyte keyType, string key, bool allowed) =>
        Assert.Equal(allowed, FindCoordinatorApi.Refuse(keyType, key) is null);

    [Theory]
    [InlineData("", true)]
    [InlineData("3", true)]
    [InlineData("4", false)]
    [InlineData("three", false)]
    [InlineData("99999999999", false)]
    public void DescribeConfigs_OfABroker_TakesItsOwnIdAndTheEmptyName(string name, bool allowed) =>
        Assert.Equal(allowed, DescribeConfigsApi.RefuseBroker(name, self: 3) is null);

    [Fact]
    public void GrainFailures_OfWhatIsAway_AreRetriable()
    {
        Assert.Equal(ErrorCode.NotLeaderOrFollower, Answer(new TimeoutException()));
        Assert.Equal(ErrorCode.NotLeaderOrFollower, Answer(new IOException("x", new SocketException())));
        Assert.Equal(ErrorCode.NotLeaderOrFollower, Answer(new InvalidOperationException("x", new TimeoutException())));
    }

    [Fact]
    public void GrainFailures_OfADefect_AreNotRetriable()
    {
        Assert.Equal(ErrorCode.UnknownServerError, Answer(new InvalidOperationException()));
        Assert.Equal(ErrorCode.UnknownServerError, Answer(new AggregateException(new TimeoutException(), new NullReferenceException())));
    }

    [Theory]
    [InlineData(true, 3576, 8096)]
    [InlineData(false, int.MinValue, int.MinValue)]
    public void AuthorizedOperations_AreAllOrNotSaid(bool asked, int onTopic, int onCluster)
    {
        Assert.Equal(onTopic, AuthorizedOperations.OnTopic(asked));
        Assert.Equal(onCluster, AuthorizedOperations.OnCluster(asked));
    }

    private static ErrorCode Answer(Exception failure) => GrainFailures.ToErrorCode(failure, ErrorCode.NotLeaderOrFollower);
}
