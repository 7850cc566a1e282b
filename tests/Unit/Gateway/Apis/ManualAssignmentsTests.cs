using Granary.Gateway.Kafka.Apis;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Gateway.Apis;

public sealed class ManualAssignmentsTests
{
    [Fact]
    public void CheckNewTopic_WithConsecutivePartitionsInAnyOrder_Accepts() =>
        Assert.Null(ManualAssignments.CheckNewTopic(-1, -1, [(1, [7]), (0, [7, 8])]));

    [Theory]
    [InlineData(2, -1)]
    [InlineData(-1, 1)]
    public void CheckNewTopic_WithCountsBesideIt_IsInvalidRequest(int numPartitions, short replicationFactor) =>
        Assert.Equal(
            ErrorCode.InvalidRequest,
            ManualAssignments.CheckNewTopic(numPartitions, replicationFactor, [(0, [1]), (1, [1])])?.Error);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 2)]
    [InlineData(1, 2)]
    [InlineData(-1, 0)]
    public void CheckNewTopic_WithHolesOrDoubles_IsInvalidAssignment(int first, int second) =>
        Assert.Equal(
            ErrorCode.InvalidReplicaAssignment,
            ManualAssignments.CheckNewTopic(-1, -1, [(first, [1]), (second, [1])])?.Error);

    [Theory]
    [InlineData(new int[0])]
    [InlineData(new[] { 1, 1 })]
    public void CheckNewTopic_WithNoBrokerOrOneTwice_IsInvalidAssignment(int[] brokerIds) =>
        Assert.Equal(ErrorCode.InvalidReplicaAssignment, ManualAssignments.CheckNewTopic(-1, -1, [(0, brokerIds)])?.Error);

    [Fact]
    public void CheckNewPartitions_WithOneAssignmentForEach_Accepts() =>
        Assert.Null(ManualAssignments.CheckNewPartitions(existing: 2, wanted: 4, [[1], [2]]));

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void CheckNewPartitions_WithAnotherNumberOfAssignments_IsInvalidAssignment(int wanted) =>
        Assert.Equal(
            ErrorCode.InvalidReplicaAssignment,
            ManualAssignments.CheckNewPartitions(existing: 2, wanted, [[1], [2]])?.Error);

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    [InlineData(int.MinValue)]
    public void CheckNewPartitions_WithoutAnIncrease_LeavesTheRefusalToTheCatalog(int wanted) =>
        Assert.Null(ManualAssignments.CheckNewPartitions(existing: 2, wanted, [[1]]));
}
