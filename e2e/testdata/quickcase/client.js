// Does with QuickCase's own client what a service does: creates a case, changes it, fetches it, and fails.
const assert = require('node:assert/strict');
const {createCase, fetchCase, fieldExtractor, httpClient, isCaseIdentifier, newCollection, updateCase} =
  require('@quickcase/node-toolkit');

const client = httpClient(`${process.env.CASEHOOK_SERVER}/quickcase`)(() => Promise.resolve(process.env.CASEHOOK_TOKEN));

const refused = async (promise, status) => {
  const error = await promise.then(() => assert.fail('it was not refused'), (e) => e);
  assert.equal(error.name, 'AxiosError');
  assert.equal(error.response.status, status);
  return error.response.data;
};

(async () => {
  const made = await createCase(client)('ParkingPermit')('createPermit')({data: {resident: 'Ada'}, summary: 'By post'});
  assert.ok(isCaseIdentifier(made.id), made.id);
  assert.deepEqual(made.data, {resident: 'Ada', reason: 'resident'});

  await updateCase(client)(made.id)('addNote')({data: {notes: newCollection(['Hello'])}});
  const fetched = await fetchCase(client)(made.id)();
  assert.equal(fetched.state, 'Draft');
  const note = fetched.data.notes[0];
  assert.equal(fieldExtractor(fetched)(`notes[id:${note.id}].value`), 'Hello');

  const empty = await createCase(client)('ParkingPermit')('createPermit')();
  assert.deepEqual(empty.data, {reason: 'resident'});

  const unknown = await refused(createCase(client)('ParkingPermit')('nothing')({}), 404);
  assert.equal(unknown.status, 404);
  const wrong = await refused(updateCase(client)(made.id)('decide')({data: {vehicle: {plate: 7}}}), 422);
  assert.equal(wrong.details.field_errors[0].id, 'vehicle.plate');
  console.log('done');
})().catch((e) => { console.error(e); process.exit(1); });
